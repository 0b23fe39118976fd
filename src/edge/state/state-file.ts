import { createHash } from 'node:crypto'
import { link, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import * as z from 'zod'
import { EdgeFailure, messageOf } from '../failure.ts'
import { edgeStateSchema, type EdgeState } from './state.ts'

const formatVersion = 1

const envelopeSchema = z.object({ format: z.number(), sha256: z.string(), state: z.string() })

export interface ReadState {
  state: EdgeState
  /** What was wrong with the newest file, when it was not the one read; empty otherwise. */
  trouble: string
}

/**
 * The state of the edge as one file, replaced whole: a temporary file is written and synced, then renamed over the
 * old one, which stays beside it as `.previous`. A reader finds the old state or the new one, whatever is killed.
 * Saves that come while one is being written are written together.
 */
export class StateFile {
  readonly #path: string
  readonly #take: () => EdgeState
  #running: Promise<void> | undefined
  #waiting: Promise<void> | undefined

  /** `take` gives the state as it is when a write begins. */
  constructor(path: string, take: () => EdgeState) {
    this.#path = path
    this.#take = take
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
    const file = await open(temporary, 'w', 0o600)
    try {
      await file.writeFile(encode(this.#take()))
      await file.sync()
    } finally {
      await file.close()
    }
    await rm(`${path}.previous`, { force: true })
    await link(path, `${path}.previous`).catch(ignoreMissing)
    await rename(temporary, path)
    await syncDirectory(dirname(path))
  }
}

/**
 * The newest good state at `path`: the file, else the previous one, else none. A damaged file is kept aside as
 * `.damaged`. Throws STORE_TOO_NEW for a file of a newer version, which must not be overwritten.
 */
export async function readState(path: string): Promise<ReadState> {
  let trouble = ''
  for (const candidate of [path, `${path}.previous`]) {
    const text = await readFile(candidate, 'utf8').catch(ignoreMissing)
    if (text === undefined) continue
    try {
      return { state: decode(text), trouble }
    } catch (failure) {
      if (failure instanceof EdgeFailure) throw failure
      trouble = `${candidate} is damaged: ${messageOf(failure)}`
      await rename(candidate, `${candidate}.damaged`)
    }
  }
  return { state: { services: [] }, trouble }
}

function encode(state: EdgeState): string {
  const text = JSON.stringify(state)
  return JSON.stringify({ format: formatVersion, sha256: sha256(text), state: text })
}

function decode(text: string): EdgeState {
  const envelope = envelopeSchema.parse(JSON.parse(text))
  if (envelope.format > formatVersion)
    throw new EdgeFailure(
      'STORE_TOO_NEW',
      `The edge's state has format ${envelope.format}, known is ${formatVersion}.`,
    )
  if (sha256(envelope.state) !== envelope.sha256) throw new Error('its checksum does not fit')
  return edgeStateSchema.parse(JSON.parse(envelope.state))
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
