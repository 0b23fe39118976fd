import { AppError, fail, ok, SerialQueue, type Clock, type Result } from '../../../base/index.ts'
import { duration, type Chart, type Series } from '../../../contract/index.ts'
import type {
  ChartQuery,
  SampleRow,
  SeriesKey,
  TelemetryStore,
  TelemetryStoreStatus,
} from '../../../engine/telemetry/index.ts'
import { PendingRows } from './pending-rows.ts'
import { defaultRetention, type Retention } from './resolutions.ts'
import type { RowBatch } from './row-batch.ts'
import { WorkerLink } from './worker-link.ts'

export interface TelemetryStoreOptions {
  /** Path of the database; its folder is made where there is none. */
  file: string
  clock: Clock
  /** What differs from 7 days of samples, 90 days of minutes, 3 years of hours, 100 MB a host. */
  retention?: Partial<Retention>
  /** The worker's program where it is not beside this file, as in a bundle. */
  workerUrl?: URL | string
  /** How many values may wait for a disk that fails; 8 bytes each. */
  pendingValueLimit?: number
}

/** Five seconds may be lost; one of them is left for the commit itself. */
const commitPeriodMs = 4000
/** 8 MB: a backlog after a failure goes to the worker in pieces between which charts get their turn. */
const valuesPerCommit = 1_000_000
/** 64 MB: 18 hours of one host with 120 series. */
const defaultPendingValueLimit = 8_000_000
/** A commit that takes longer is a disk that hangs. */
const hangMs = 10_000
const restartDelaysMs = [1000, 5000, 30_000]
const largestChartQueue = 100
const closingPatienceMs = 5000

/**
 * Opens the telemetry store on `file`. Fails with STORE_TOO_NEW, STORE_BUSY, STORE_FULL, CONFIG_INVALID (a database
 * of another program) or UNAVAILABLE; a damaged file is no failure but a `notice` in the status.
 *
 * Precision: a value comes back within half of the last place kept (1/65536 for ratios, 1 for bytes and bytes a
 * second, 1/128 for other rates, 0.01 for counts and degrees, 8 us for seconds) or, where that is more, within 1 in 1024
 * for rates and ratios, 1 in 8192 for bytes, 1 in 16 million for seconds. NaN is kept as it is.
 *
 * Order: rows may come in any order of time; two values of one series for the same millisecond are one, the later
 * appended. Rows older than samples are kept for are dropped and counted.
 */
export async function openTelemetryStore(options: TelemetryStoreOptions): Promise<Result<RetainingStore>> {
  const store = new WorkerTelemetryStore(options)
  const opened = await store.open()
  return opened.ok ? ok(store) : opened
}

/** A store whose retention may change while it is open. */
export interface RetainingStore extends TelemetryStore {
  /** Keeps by this from now on; what is beyond it goes with the next upkeep. */
  retain(retention: Partial<Retention>): void
}

class WorkerTelemetryStore implements RetainingStore {
  readonly #options: TelemetryStoreOptions
  #retention: Retention
  readonly #clock: Clock
  readonly #pending: PendingRows
  readonly #registered = new Map<string, Set<number>>()
  /** Lists of ids that `append` has seen, so that it need not look through them each second. */
  readonly #checked = new WeakMap<readonly number[], string>()
  #link: WorkerLink | undefined
  #timers: Disposable[] = []
  #committing: Promise<Result<void>> | undefined
  #commitId = 0
  #commitStartedMs = Infinity
  #lastCommitMs = 0
  #failure = ''
  #restartCount = 0
  readonly #charts = new SerialQueue()
  #chartCount = 0
  #isClosing = false

  constructor(options: TelemetryStoreOptions) {
    this.#options = options
    this.#clock = options.clock
    this.#retention = { ...defaultRetention, ...options.retention }
    this.#pending = new PendingRows(options.pendingValueLimit ?? defaultPendingValueLimit)
  }

  async open(): Promise<Result<void>> {
    const started = await this.#start()
    if (started.ok) this.#timers.push(this.#clock.every(commitPeriodMs, () => this.#tick()))
    return started
  }

  retain(retention: Partial<Retention>): void {
    this.#retention = { ...defaultRetention, ...retention }
    // A worker that is not there now is started with it.
    void this.#link?.call('retain', this.#clock.nowMs(), { retention: this.#retention })
  }

  async registerSeries(hostId: string, keys: readonly SeriesKey[]): Promise<Series[]> {
    if (!this.#link) throw this.#unavailable()
    const registered = await this.#link.call('register', this.#clock.nowMs(), { hostId, keys })
    if (!registered.ok) throw registered.error
    const known = this.#registered.get(hostId) ?? new Set()
    this.#registered.set(hostId, known)
    for (const { id } of registered.value) known.add(id)
    return registered.value
  }

  append(hostId: string, seriesIds: readonly number[], row: SampleRow): void {
    if (row.values.length !== seriesIds.length) {
      throw new Error(`a row of ${row.values.length} values for ${seriesIds.length} series of host ${hostId}`)
    }
    this.#checkIds(hostId, seriesIds)
    if (Number.isSafeInteger(Math.round(row.atMs))) this.#pending.push(hostId, seriesIds, row)
    else this.#pending.countDropped(1)
  }

  async flush(): Promise<Result<void>> {
    await this.#committing
    return this.#startCommit()
  }

  chart(query: ChartQuery): Promise<Result<Chart>> {
    if (this.#chartCount >= largestChartQueue) {
      return Promise.resolve(
        fail(new AppError('UNAVAILABLE', 'Too many charts are being read at the moment.')),
      )
    }
    this.#chartCount++
    // One at a time: a commit then waits behind one chart at most.
    return this.#charts.run(() => this.#draw(query)).finally(() => this.#chartCount--)
  }

  status(): TelemetryStoreStatus {
    const hangingMs = this.#clock.monotonicMs() - this.#commitStartedMs
    const hanging = hangingMs > hangMs ? `The disk has not answered for ${duration(hangingMs)}.` : ''
    const state = this.#link?.state
    return {
      isWritable: this.#failure === '' && hanging === '',
      reason: this.#failure || hanging,
      lastCommitMs: this.#lastCommitMs,
      pendingRowCount: this.#pending.count,
      droppedRowCount: this.#pending.droppedCount,
      sizeBytes: state?.sizeBytes ?? 0,
      damagedChunkCount: state?.damagedChunkCount ?? 0,
      notice: [state?.notice, this.#link?.upkeepFailure].filter(Boolean).join(' '),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosing) return
    this.#isClosing = true
    for (const timer of this.#timers.splice(0)) timer[Symbol.dispose]()
    const link = this.#link
    if (!link) return
    using _patience = this.#clock.after(closingPatienceMs, () => void link.terminate())
    await this.flush()
    await link.call('close', this.#clock.nowMs(), {})
    await link.ended
  }

  #checkIds(hostId: string, seriesIds: readonly number[]): void {
    if (this.#checked.get(seriesIds) === hostId) return
    const known = this.#registered.get(hostId)
    const stranger = seriesIds.find((id) => !known?.has(id))
    if (stranger !== undefined) throw new Error(`series ${stranger} of host ${hostId} was not registered`)
    this.#checked.set(seriesIds, hostId)
  }

  #tick(): void {
    if (!this.#committing) void this.#startCommit()
  }

  #startCommit(): Promise<Result<void>> {
    this.#committing ??= this.#commitAll().finally(() => (this.#committing = undefined))
    return this.#committing
  }

  async #commitAll(): Promise<Result<void>> {
    for (;;) {
      if (!this.#link) return fail(this.#unavailable())
      const batches = this.#pending.send(valuesPerCommit)
      const valueCount = batches.reduce((sum, batch) => sum + batch.values.length, 0)
      const committed = await this.#commitOne(this.#link, batches)
      if (!committed.ok || valueCount < valuesPerCommit) return committed
    }
  }

  async #commitOne(link: WorkerLink, batches: RowBatch[]): Promise<Result<void>> {
    const nowMs = this.#clock.nowMs()
    this.#commitStartedMs = this.#clock.monotonicMs()
    const answer = link.call('commit', nowMs, { batches }, batches.flatMap(buffersOf))
    this.#commitId = link.lastId
    const committed = await answer
    this.#commitStartedMs = Infinity
    this.#commitId = 0
    if (!committed.ok) {
      this.#pending.takeBack()
      this.#failure = committed.error.message
      return committed
    }
    this.#pending.confirm()
    this.#pending.countDropped(committed.value)
    this.#lastCommitMs = nowMs
    this.#failure = ''
    this.#restartCount = 0
    return ok(undefined)
  }

  async #draw(query: ChartQuery): Promise<Result<Chart>> {
    const link = this.#link
    if (!link) return fail(this.#unavailable())
    const { sent, waiting } = this.#pending.of(query.hostId, new Set(query.seriesIds))
    const transfer = [...sent, ...waiting].flatMap(buffersOf)
    return link.call('chart', this.#clock.nowMs(), { query, sent, waiting, commit: this.#commitId }, transfer)
  }

  async #start(): Promise<Result<void>> {
    const { file, workerUrl = new URL('./worker.ts', import.meta.url) } = this.#options
    const nowMs = this.#clock.nowMs()
    const opened = await WorkerLink.open(workerUrl, {
      file,
      retention: this.#retention,
      nowMs,
    })
    if (!opened.ok) return opened
    if (this.#isClosing) {
      await opened.value.terminate()
      return fail(this.#unavailable())
    }
    this.#link = opened.value
    void opened.value.ended.then((reason) => this.#restartLater(reason))
    return ok(undefined)
  }

  /** After the worker died of a defect: rows wait meanwhile, and another one begins where the commits ended. */
  #restartLater(reason: string): void {
    this.#link = undefined
    if (this.#isClosing) return
    this.#failure = `The telemetry database stopped (${reason}); it is being restarted.`
    const delayMs = restartDelaysMs[Math.min(this.#restartCount++, restartDelaysMs.length - 1)] ?? 0
    const timer = this.#clock.after(delayMs, () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
      void this.#start().then((started) => {
        if (!started.ok) this.#restartLater(started.error.message)
        else this.#tick()
      })
    })
    this.#timers.push(timer)
  }

  #unavailable(): AppError {
    return new AppError('UNAVAILABLE', this.#failure || 'The telemetry database is closed.')
  }
}

const buffersOf = (batch: RowBatch): ArrayBuffer[] =>
  [batch.seriesIds, batch.timesMs, batch.values].map((column) => column.buffer as ArrayBuffer)
