import type { Chart, Series } from '../../../contract/index.ts'
import type { ChartQuery, SeriesKey } from '../../../engine/telemetry/index.ts'
import type { ArchiveState } from './archive.ts'
import type { Retention } from './resolutions.ts'
import type { RowBatch } from './row-batch.ts'
import type { StoreFailure } from './failures.ts'

/** What the store's worker is started with. */
export interface WorkerStart {
  file: string
  retention: Retention
  nowMs: number
}

/** Calls to the worker, by name: what each takes and gives. The worker does them one after the other. */
export interface Calls {
  register: { input: { hostId: string; keys: readonly SeriesKey[] }; output: Series[] }
  /** Gives how many rows were too old to keep. */
  commit: { input: { batches: RowBatch[] }; output: number }
  /** `sent` are rows of commit number `commit`, left out when that has succeeded meanwhile. */
  chart: {
    input: { query: ChartQuery; sent: RowBatch[]; waiting: RowBatch[]; commit: number }
    output: Chart
  }
  /** How long things are kept from now on. */
  retain: { input: { retention: Retention }; output: null }
  close: { input: object; output: null }
}
export type CallName = keyof Calls

export interface RequestOf<K extends CallName> {
  id: number
  call: K
  nowMs: number
  input: Calls[K]['input']
}
export type Request = { [K in CallName]: RequestOf<K> }[CallName]

/** The first reply has id 0 and tells whether the database could be opened. */
export interface Reply {
  id: number
  result: { ok: true; value: unknown } | { ok: false; failure: StoreFailure }
  state: ArchiveState | undefined
  /** Why the upkeep after a commit did not get done, or empty. */
  upkeepFailure: string
}
