import type { Result } from '../../base/index.ts'
import type { Chart, HostFacts, ProcessInfo, Series } from '../../contract/index.ts'

/** A series as a source declares it, before the store has given it an id. */
export type SeriesKey = Omit<Series, 'id'>

/**
 * What a source read at one moment. `values[i]` belongs to `series[i]` of the catalogue with the same version;
 * NaN is "not measured this time".
 */
export interface Reading {
  /** Wall time of the reading, UTC epoch ms. */
  atMs: number
  /** Monotonic time of the reading, for rates and gaps. */
  monotonicMs: number
  catalogVersion: number
  values: Float64Array
  /** Indices of values whose underlying counter went back since the last reading (their value is NaN). */
  counterResets: readonly number[]
}

/** Port: a look at what runs on a host, on demand. */
export interface HostInspector {
  /** Processes with the most CPU or memory, most first. The first call measures over a short window. */
  topProcesses(by: 'cpu' | 'memory', limit: number): Promise<Result<ProcessInfo[]>>
  process(pid: number): Promise<Result<ProcessInfo>>
  /** TCP connections by state (`established`, `listen`, ...); costs about 10 ms, so only on demand. */
  connectionCounts(): Promise<Result<Record<string, number>>>
}

/**
 * Port: the metrics of one host. `read` is called once a second and must not block: what is slow refreshes in the
 * background and shows in a later reading.
 */
export interface MetricSource extends AsyncDisposable {
  readonly hostId: string
  /** Set where the host is another machine: its silence says nothing about this engine. */
  readonly isRemote?: boolean
  /**
   * `version` grows whenever the list changes (a disk or interface came). A slot keeps its series; only when there is no
   * room for more, one whose series has been gone for long is given to another series.
   */
  catalog(): { version: number; series: readonly SeriesKey[] }
  facts(): Promise<HostFacts>
  read(): Promise<Result<Reading>>
  /** Left out where the source has figures alone. */
  readonly inspector?: HostInspector
}

/** A source of one machine's metrics that can also look at what runs there. */
export type InspectableSource = MetricSource & { readonly inspector: HostInspector }

/** One row for storage: values by series id, in the order of `seriesIds`. */
export interface SampleRow {
  atMs: number
  values: Float64Array
}

export interface ChartQuery {
  hostId: string
  seriesIds: readonly number[]
  fromMs: number
  toMs: number
  maxPoints: number
}

/**
 * Port: samples at rest. Appends are buffered and committed every 5 s: a power cut loses at most that. Chunks are
 * closed after 10 minutes and rolled up at one minute and one hour. Nothing here blocks the caller's thread.
 */
export interface TelemetryStore extends AsyncDisposable {
  /** Gives each key its id, creating what is new. Ids are stable for the life of the database. */
  registerSeries(hostId: string, keys: readonly SeriesKey[]): Promise<Series[]>
  /**
   * Takes a row whose columns are `seriesIds`, registered before; throws when they are not. Rows may come in any order
   * of time; of two values for one series and millisecond the later appended stays. Never waits; a failing disk shows
   * in `status`. Pass the same array of ids each time: a new one is checked anew.
   */
  append(hostId: string, seriesIds: readonly number[], row: SampleRow): void
  /** Commits everything appended so far. */
  flush(): Promise<Result<void>>
  /**
   * At most `maxPoints` (2 or more) a series, from the coarsest resolution that still gives them, or the finest that
   * is left of that time. With `stepMs` 0 points are samples as taken, a NaN point in each gap, and min, mean and max
   * one array; else a point is a bin, its time the bin's start, NaN where nothing was measured.
   */
  chart(query: ChartQuery): Promise<Result<Chart>>
  status(): TelemetryStoreStatus
}

export interface TelemetryStoreStatus {
  /** False with the reason while commits fail. */
  isWritable: boolean
  reason: string
  lastCommitMs: number
  /** Rows appended and not yet on disk; bounded, the oldest go first. */
  pendingRowCount: number
  droppedRowCount: number
  sizeBytes: number
  damagedChunkCount: number
  /** What a person should know though recording goes on (a damaged file moved aside), or empty. */
  notice: string
}
