import type { Clock, Result } from '../../base/index.ts'
import {
  configRejectedText,
  type ConfigEntries,
  type ConfigProblem,
  type ConfigStatus,
} from '../../contract/index.ts'
import type { LiveStore } from '../core/index.ts'
import type { NoticeBoard } from '../journal/index.ts'
import { changedSettings, describeConfig, type ChangedSetting, type Standpoint } from './describe.ts'
import type { LoadedConfig } from './load.ts'
import type { Config } from './schema.ts'

export interface RunningConfigParts {
  clock: Clock
  /** Where this program started from, and what means nothing to it. */
  standpoint: Standpoint & { started: LoadedConfig }
  /** Takes changed settings into use; what needs a restart waits for one. */
  take: (config: Config) => void
  /** The audit log of the configuration. */
  record: {
    changed: (loaded: LoadedConfig, changes: readonly ChangedSetting[]) => Promise<void>
    refused: (problems: readonly ConfigProblem[]) => Promise<void>
  }
}

/** Where changes are shown. */
interface Shown {
  live: LiveStore
  notices: NoticeBoard
}

/** The configuration in force: takes newer ones into use, or shows why a changed file was refused. */
export class RunningConfig {
  readonly #parts: RunningConfigParts
  #loaded: LoadedConfig

  constructor(parts: RunningConfigParts) {
    this.#parts = parts
    this.#loaded = parts.standpoint.started
  }

  get loaded(): LoadedConfig {
    return this.#loaded
  }

  /** Every setting with its value, where it comes from, and whether it is in force. */
  entries(): ConfigEntries {
    return describeConfig(this.#loaded, this.#parts.standpoint)
  }

  get status(): ConfigStatus {
    return { file: this.#loaded.file, loadedAtMs: this.#parts.clock.nowMs(), problems: [] }
  }

  change(changed: Result<LoadedConfig, ConfigProblem[]>, { live, notices }: Shown): void {
    const { record, standpoint, take } = this.#parts
    if (!changed.ok) {
      void record.refused(changed.error)
      live.put('config', { ...this.status, pending: this.#pending, problems: changed.error })
      notices.post({ severity: 'warning', text: configRejectedText(changed.error), link: '/settings' })
      return
    }
    const changes = changedSettings(this.#loaded, changed.value, standpoint)
    this.#loaded = changed.value
    take(this.#loaded.config)
    live.put('config', { ...this.status, pending: this.#pending })
    if (changes.length === 0) return
    void record.changed(this.#loaded, changes)
    notices.post({ severity: 'info', text: changeText(changes), link: '/settings' })
  }

  /** What waits for a restart. */
  get #pending(): NonNullable<ConfigStatus['pending']> {
    const { standpoint } = this.#parts
    return changedSettings(standpoint.started, this.#loaded, standpoint)
      .filter(({ effect }) => effect === 'restart')
      .map(({ path, from, to }) => ({ path, running: from, value: to }))
  }
}

/** What changed, and what of it is not in force yet. */
export function changeText(changes: readonly ChangedSetting[]): string {
  const [first] = changes
  const rest = changes.length > 1 ? ` and ${changes.length - 1} more` : ''
  const text = `Configuration changed: ${first?.path} from ${first?.from || 'unset'} to ${first?.to || 'unset'}${rest}`
  const waiting = changes.filter(({ effect }) => effect === 'restart').map(({ path }) => path)
  const unused = changes.filter(({ effect }) => effect === 'unused').map(({ path }) => path)
  return [
    text,
    ...(waiting.length > 0 ? [`After a restart: ${waiting.join(', ')}`] : []),
    ...(unused.length > 0 ? [`The desktop app does not use ${unused.join(', ')}`] : []),
  ].join('. ')
}
