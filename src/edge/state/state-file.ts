import { createHash } from 'node:crypto'
import { link, open, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import * as z from 'zod'
import { AppError, messageOf } from '../../base/index.ts'
import { Journal, readJournal, replay, type JournalEntry } from './journal.ts'
import { edgeStateSchema, type EdgeState } from './state.ts'

const formatVersion = 1

const envelopeSchema = z.object({
  format: z.number(),
  sha256: z.string(),
  state: z.string(),
  /** Entries of the journal from this generation on are newer than the state. */
  generation: z.number().int().min(0).default(0),
})

export interface ReadState {
  state: EdgeState
  /** What was wrong with the files, and what that means, as sentences; empty when the newest one is good. */
  trouble: string
  /** Above that of the state and of all that stands in the journal: for the file that goes on from here. */
  generation: number
}

/**
 * The state of the edge as one file, replaced whole: a temporary file is written and synced, then renamed over the
 * old one, which stays beside it as `.previous`. A reader finds the old state or the new one, whatever is killed.
 * Saves that come while one is being written are written together. What cannot wait for that is noted in a journal
 * beside it, which the next state makes empty.
 */
export class StateFile {
  readonly #path: string
  readonly #take: () => EdgeState
  readonly #journal: Journal
  #generation: number
  #running: Promise<void> | undefined
  #waiting: Promise<void> | undefined

  /** `take` gives the state as it is when a write begins; `generation` is what `readState` gave. */
  constructor(path: string, take: () => EdgeState, generation: number) {
    this.#path = path
    this.#take = take
    this.#journal = new Journal(journalOf(path))
    this.#generation = generation
  }

  /**
   * Resolves when what has `moved` is on the disk, before a state that holds it is; rejects when it cannot be written.
   * To be called in the same turn in which it has moved: a state that is written later holds it.
   */
  note(moved: JournalEntry['moved']): Promise<void> {
    return this.#journal.append({ generation: this.#generation, moved })
  }

  /** Resolves when a state that is not older than this call is on the disk; rejects when it cannot be written. */
  save(): Promise<void> {
    if (!this.#running) {
      this.#running = this.#write().finally(() => (this.#running = undefined))
      return this.#running
    }
    this.#waiting ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#waiting = undefined
        return this.save()
      })
    return this.#waiting
  }

  async #write(): Promise<void> {
    const path = this.#path
    const temporary = `${path}.new`
    await this.#journal.create()
    const file = await open(temporary, 'w', 0o600)
    let generation
    try {
      generation = this.#generation += 1
      await file.writeFile(encode(this.#take(), generation))
      await file.sync()
    } finally {
      await file.close()
    }
    await rm(`${path}.previous`, { force: true })
    await link(path, `${path}.previous`).catch(ignoreMissing)
    await rename(temporary, path)
    await syncDirectory(dirname(path))
    this.#journal.trim(generation)
  }
}

const journalOf = (path: string): string => `${path}.journal`

/**
 * The newest good state at `path`: the file, else the previous one, else none; and what the journal adds. A damaged
 * file is kept aside as `.damaged`. Throws STORE_TOO_NEW for a file of a newer version, which must not be overwritten.
 */
export async function readState(path: string): Promise<ReadState> {
  const entries = await readJournal(journalOf(path))
  let last = Math.max(0, ...entries.map(({ generation }) => generation))
  const damages: string[] = []
  const troubleOf = (consequence: string) => (damages.length > 0 ? [...damages, consequence].join(' ') : '')
  for (const candidate of [path, `${path}.previous`]) {
    const text = await readFile(candidate, 'utf8').catch(ignoreMissing)
    if (text === undefined) continue
    try {
      const { state, generation } = decode(text)
      last = Math.max(last, generation)
      const trouble = troubleOf(`The edge uses the previous state, ${candidate}.`)
      return { state: replay(state, generation, entries), trouble, generation: last + 1 }
    } catch (failure) {
      if (failure instanceof AppError) throw failure
      damages.push(
        `${candidate} is damaged (${reasonOf(failure)}) and is kept as ${basename(candidate)}.damaged.`,
      )
      // On a read-only disk it stays where it is.
      await rename(candidate, `${candidate}.damaged`).catch(() => undefined)
    }
  }
  const trouble = troubleOf('The edge started empty: an engine will declare its services again.')
  return { state: { services: [] }, trouble, generation: last + 1 }
}

const reasonOf = (failure: unknown): string =>
  failure instanceof z.ZodError ? 'it does not contain a valid state' : messageOf(failure)

function encode(state: EdgeState, generation: number): string {
  const text = JSON.stringify(state)
  return JSON.stringify({ format: formatVersion, sha256: sha256(text), state: text, generation })
}

function decode(text: string): { state: EdgeState; generation: number } {
  const envelope = envelopeSchema.parse(JSON.parse(text))
  if (envelope.format > formatVersion)
    throw new AppError(
      'STORE_TOO_NEW',
      `The edge's state has format ${envelope.format}; this version supports format ${formatVersion}.`,
    )
  if (sha256(envelope.state) !== envelope.sha256) throw new Error('its checksum does not match')
  return { state: edgeStateSchema.parse(JSON.parse(envelope.state)), generation: envelope.generation }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

function ignoreMissing(failure: unknown): undefined {
  if ((failure as NodeJS.ErrnoException).code !== 'ENOENT') throw failure
  return undefined
}

/** A rename is durable when its directory is; Windows neither needs nor allows it. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
