import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { messageOf, type Clock, type Log } from '../base/index.ts'
import { writePrivateFile } from '../adapters/system/index.ts'
import { engineActor, problemsText, type ConfigProblem } from '../contract/index.ts'
import type { AuditDraft } from '../engine/audit/index.ts'
import { describeConfig, type LoadedConfig } from '../engine/config/index.ts'

/** The settings of the launch before, as people see them: secrets are masked. */
const fileName = 'config-last.json'
const settingsSchema = z.record(z.string(), z.string())
type Settings = z.infer<typeof settingsSchema>

/** Far more than a person changes at once; a list must not grow the log without bounds. */
const mostListed = 100

interface Change {
  path: string
  from: string
  to: string
}

export interface ConfigRecordParts {
  dataDirectory: string
  clock: Clock
  log: Log
  append: (draft: AuditDraft) => Promise<void>
}

/** Puts on record how the configuration changes, also while no engine runs. */
export class ConfigRecord {
  readonly #parts: ConfigRecordParts

  constructor(parts: ConfigRecordParts) {
    this.#parts = parts
  }

  /** To be told at the start: compares with what the engine before had. */
  async opened(loaded: LoadedConfig): Promise<void> {
    let before: Settings | null
    try {
      before = this.#last()
    } catch (failure) {
      // What it holds is compared at the next launch.
      this.#parts.log.warn('the settings of the previous launch cannot be read', {
        failure: messageOf(failure),
      })
      return
    }
    const now = settingsOf(loaded)
    const changes = before ? changesBetween(before, now) : []
    if (changes.length > 0)
      await this.#record(changes, 'The configuration was changed while no engine was running.')
    if (before === null || changes.length > 0) this.#keep(now)
  }

  async changed(loaded: LoadedConfig, changes: readonly Change[]): Promise<void> {
    this.#keep(settingsOf(loaded))
    await this.#record(changes, 'The configuration file was changed.')
  }

  /** A changed file that is not taken into use. */
  async refused(
    problems: readonly Pick<ConfigProblem, 'file' | 'line' | 'column' | 'message'>[],
  ): Promise<void> {
    await this.#append('config.refused', problemsText(problems) || 'It could not be applied.', {
      problems: problems.slice(0, mostListed).map(({ file, line, message }) => ({ file, line, message })),
    })
  }

  /** All that changed, and once more for each service what changed of it: its history is found by its name. */
  async #record(changes: readonly Change[], why: string): Promise<void> {
    await this.#append('config.change', why, listed(changes))
    const ofServices = Map.groupBy(changes, ({ path }) => /^services\.([^.]+)\./.exec(path)?.[1] ?? '')
    for (const [service, own] of ofServices)
      if (service !== '') await this.#append('services.configure', why, listed(own), service)
  }

  #append(
    action: string,
    why: string,
    details: AuditDraft['details'],
    target = 'configuration',
  ): Promise<void> {
    const atMs = this.#parts.clock.nowMs()
    return this.#parts.append({ atMs, actor: engineActor, action, target, why, details })
  }

  /** Null when there are none, or they are damaged. Throws when they cannot be read. */
  #last(): Settings | null {
    try {
      return settingsSchema.parse(JSON.parse(readFileSync(this.#file, 'utf8')))
    } catch (failure) {
      const { code } = failure as NodeJS.ErrnoException
      if (code === undefined || code === 'ENOENT') return null
      throw failure
    }
  }

  #keep(settings: Settings): void {
    try {
      writePrivateFile(this.#file, JSON.stringify(settings))
    } catch (failure) {
      this.#parts.log.warn('the settings of this launch cannot be stored', { failure: messageOf(failure) })
    }
  }

  get #file(): string {
    return join(this.#parts.dataDirectory, fileName)
  }
}

const settingsOf = (loaded: LoadedConfig): Settings =>
  Object.fromEntries(describeConfig(loaded).entries.map(({ path, value }) => [path, value]))

function changesBetween(before: Settings, now: Settings): Change[] {
  return [...new Set([...Object.keys(before), ...Object.keys(now)])]
    .map((path) => ({ path, from: before[path] ?? '', to: now[path] ?? '' }))
    .filter(({ from, to }) => from !== to)
}

const listed = (changes: readonly Change[]) => ({
  changes: changes.slice(0, mostListed).map(({ path, from, to }) => ({ path, from, to })),
  ...(changes.length > mostListed ? { more: changes.length - mostListed } : {}),
})
