import { truncateSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import * as z from 'zod'
import { edgeReportSchema, nameSchema } from '../../contract/index.ts'
import type { EdgeState } from './state.ts'

/** The traffic of services as it is since an emergency, and the first whole state that holds it. */
const journalEntrySchema = z.object({
  generation: z.number().int().min(0),
  moved: z.array(z.object({ service: nameSchema, report: edgeReportSchema })),
})
export type JournalEntry = z.infer<typeof journalEntrySchema>

/**
 * What emergencies have changed since the last whole state, so that one is on the disk after one small write. Each
 * entry is the state that it led to, not a change of one: to read it twice, or late, does nothing.
 */
export class Journal {
  readonly #path: string
  /** Of the newest entry; null when there is none that is worth a truncation. */
  #newest: number | null = 0

  constructor(path: string) {
    this.#path = path
  }

  /** Makes the file, so that a sync of its directory keeps it. */
  async create(): Promise<void> {
    await (await open(this.#path, 'a', 0o600)).close()
  }

  /** Resolves when the entry is on the disk. */
  async append(entry: JournalEntry): Promise<void> {
    this.#newest = entry.generation
    const file = await open(this.#path, 'a', 0o600)
    try {
      // A line of its own, whatever a crash has left at the end.
      await file.appendFile(`\n${JSON.stringify(entry)}\n`)
      await file.datasync()
    } finally {
      await file.close()
    }
  }

  /**
   * Drops all entries when the state of `generation`, which is on the disk, holds every one. In one go: an entry that
   * came between the question and the truncation would be lost. One that stays is no harm.
   */
  trim(generation: number): void {
    if (this.#newest === null || this.#newest >= generation) return
    try {
      truncateSync(this.#path)
      this.#newest = null
    } catch {
      // It is tried again after the next whole state.
    }
  }
}

/**
 * The entries that are whole; what a crash has torn has been promised to nobody. Rejects when the file cannot be read:
 * to take it as empty would undo emergency rollbacks.
 */
export async function readJournal(path: string): Promise<JournalEntry[]> {
  const text = await readFile(path, 'utf8').catch((failure: unknown) => {
    if ((failure as NodeJS.ErrnoException).code !== 'ENOENT') throw failure
    return ''
  })
  return text.split('\n').flatMap((line) => {
    const entry = journalEntrySchema.safeParse(parsed(line))
    return entry.success ? [entry.data] : []
  })
}

/** The state with what the journal knows later than it; `generation` is that of the state. */
export function replay(state: EdgeState, generation: number, entries: readonly JournalEntry[]): EdgeState {
  const newer = entries.filter((entry) => entry.generation >= generation).flatMap(({ moved }) => moved)
  if (newer.length === 0) return state
  return {
    services: state.services.map((record) => {
      let { traffic } = record
      for (const { service, report } of newer)
        if (service === record.definition.name && report.revision > traffic.revision)
          traffic = { ...report, doneKeys: [...traffic.doneKeys, report.key] }
      return { ...record, traffic }
    }),
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
