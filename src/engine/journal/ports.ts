import type { Result } from '../../base/index.ts'
import type { Notice } from '../../contract/index.ts'

/** One run of the engine. */
export interface Launch {
  /** The epoch of that run. */
  epoch: string
  version: string
  startedAtMs: number
  /** Null while it runs, or when it ended without a word: killed, crashed, power lost. */
  stoppedAtMs: number | null
}

export type JournalChange =
  /** A notice with an id that is already kept is not kept twice. */
  | { kind: 'addNotice'; notice: Notice }
  /** Takes the place of the notice with its id, as the newest one; added when there is none. */
  | { kind: 'replaceNotice'; notice: Notice }
  | { kind: 'startLaunch'; launch: Omit<Launch, 'stoppedAtMs'> }
  | { kind: 'stopLaunch'; epoch: string; atMs: number }

/**
 * Port: what happened, kept in the state database. Appends are on disk when their promise resolves. Failures are
 * STORE_BUSY (locked by another program; may be tried again), STORE_FULL or STORE_CORRUPT.
 */
export interface Journal extends AsyncDisposable {
  /** A notice with an id that is already kept is not kept twice. */
  append(notice: Notice): Promise<Result<void>>
  /** Takes the place of the notice with its id, as the newest one; appended when there is none. */
  replace(notice: Notice): Promise<Result<void>>
  /** Newest first. */
  newest(limit: number): Promise<Result<Notice[]>>
  launched(launch: Omit<Launch, 'stoppedAtMs'>): Promise<Result<void>>
  stopped(epoch: string, atMs: number): Promise<Result<void>>
  /** The run before the one with this epoch; null when there was none. */
  launchBefore(epoch: string): Promise<Result<Launch | null>>
  /** As of the last write or probe; probes the database at least every 10 s by itself. */
  status(): { isWritable: boolean; reason: string; sinceMs: number }
}
