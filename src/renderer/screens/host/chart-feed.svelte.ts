import type { Chart } from '../../../contract/index.ts'
import { Columns, type TimeRange } from '../../charts/index.ts'
import type { SampleHub } from '../../state/sample-hub.ts'
import { failureOf, type CallFailure } from '../../state/failure.ts'
import { liveStepMs } from './range.ts'

export interface ChartFeedOptions {
  hub: Pick<SampleHub, 'want' | 'columns' | 'latest'>
  chart(input: {
    hostId: string
    seriesIds: number[]
    fromMs: number
    toMs: number
    maxPoints: number
  }): Promise<Chart>
  hostId: string
  seriesIds: readonly number[]
}

/** What is to be shown: a stretch of time, and whether it goes on with live samples. */
export interface ChartRequest extends TimeRange {
  isLive: boolean
  maxPoints: number
}

export type FeedState = { kind: 'loading' } | { kind: 'ready' } | { kind: 'failed'; failure: CallFailure }

/** Live samples are taken from the hub's window; what is older comes from the engine's history. */
const windowMs = 120_000
/** Bins at least this wide are asked for again as they fill: the engine's roll-ups are exact. */
const askAgainFromMs = 60_000
const askAgainAtMostMs = 600_000
const seriesPerCall = 64

/**
 * The columns of one chart: history, continued by live samples while the request is live. What stands on screen stays
 * until what replaces it is there.
 */
export class ChartFeed implements Disposable {
  #options: ChartFeedOptions
  #state = $state.raw<FeedState>({ kind: 'loading' })
  #version = $state(0)
  #pulse = $state(0)
  #drawnMs = Number.NEGATIVE_INFINITY
  #columns: readonly Columns[]
  #request: ChartRequest | undefined
  #turn = 0
  #askedAtMs = 0
  #stop: (() => void) | undefined

  constructor(options: ChartFeedOptions) {
    this.#options = options
    this.#columns = options.seriesIds.map(() => new Columns(undefined, 0))
  }

  get state(): FeedState {
    return this.#state
  }
  /** Grows with each batch of samples: the newest figure is another. */
  get pulse(): number {
    return this.#pulse
  }
  /** Grows when there is enough in the columns to be worth a redraw: in long ranges not with each sample. */
  get version(): number {
    return this.#version
  }
  /** One for each series, in their order. */
  get columns(): readonly Columns[] {
    void this.#version
    return this.#columns
  }
  /** Time of the newest live sample. */
  get newestMs(): number {
    const times = this.#options.seriesIds.map(
      (id) => this.#options.hub.columns(this.#options.hostId, id).timesMs.at(-1) ?? -Infinity,
    )
    return Math.max(...times)
  }

  /** The newest figure of a series: the newest sample while live, else the last of the stretch; NaN without one. */
  newest(index: number): number {
    const { hub, hostId, seriesIds } = this.#options
    const sample = this.#request?.isLive ? hub.latest(hostId, seriesIds[index] ?? -1) : undefined
    return sample?.value ?? this.#columns[index]?.newest()?.value ?? Number.NaN
  }

  /** Loads what is asked for; `changed` is called after each batch of live samples. */
  show(request: ChartRequest, changed: () => void): void {
    this.#request = request
    this.#stop ??= this.#options.hub.want({
      hostId: this.#options.hostId,
      seriesIds: this.#options.seriesIds,
      windowMs,
      changed: () => {
        this.#continue()
        changed()
      },
    })
    void this.#load()
  }

  /** Loads the same again: after a restart of the engine, a gap, a time out of sight, or because a person asked. */
  again(): void {
    if (this.#request) void this.#load()
  }

  /** Neither loads nor follows until the next `show`: nobody can see it. */
  rest(): void {
    this.#turn += 1
    this.#stop?.()
    this.#stop = undefined
  }

  [Symbol.dispose](): void {
    this.rest()
  }

  async #load(): Promise<void> {
    const request = this.#request
    if (!request) return
    const turn = ++this.#turn
    const { hostId, seriesIds } = this.#options
    const spanMs = request.toMs - request.fromMs
    const toMs = request.isLive ? Math.max(request.toMs, this.newestMs) : request.toMs
    const fromMs = toMs - spanMs
    this.#askedAtMs = toMs
    const columns: Columns[] = []
    try {
      for (let at = 0; at < seriesIds.length; at += seriesPerCall) {
        const ids = seriesIds.slice(at, at + seriesPerCall)
        const chart = await this.#options.chart({
          hostId,
          seriesIds: ids,
          fromMs,
          toMs,
          maxPoints: request.maxPoints,
        })
        if (turn !== this.#turn) return
        for (const id of ids) {
          const history = chart.series.find(({ seriesId }) => seriesId === id)
          columns.push(new Columns(history, chart.stepMs, chart.stepMs > 0 ? { coveredMs: toMs } : {}))
        }
      }
    } catch (error) {
      if (turn === this.#turn) this.#state = { kind: 'failed', failure: failureOf(error) }
      return
    }
    this.#columns = columns
    this.#state = { kind: 'ready' }
    this.#drawnMs = Number.NEGATIVE_INFINITY
    this.#continue()
    this.#version += 1
  }

  #continue(): void {
    const request = this.#request
    if (!request?.isLive || this.#state.kind !== 'ready') return
    const { hub, hostId, seriesIds } = this.#options
    const spanMs = request.toMs - request.fromMs
    let newestMs = -Infinity
    seriesIds.forEach((id, index) => {
      const column = this.#columns[index]
      if (!column) return
      const { timesMs, values } = hub.columns(hostId, id)
      const sinceMs = column.newestSampleMs
      let at = timesMs.length
      while (at > 0 && (timesMs[at - 1] ?? 0) > sinceMs) at -= 1
      for (; at < timesMs.length; at++) column.append(timesMs[at] ?? 0, values[at] ?? Number.NaN)
      newestMs = Math.max(newestMs, column.newestSampleMs)
      column.trimBefore(newestMs - spanMs * 1.1)
    })
    this.#pulse += 1
    if (newestMs - this.#drawnMs >= liveStepMs(spanMs)) {
      this.#drawnMs = newestMs
      this.#version += 1
    }
    const stepMs = this.#columns[0]?.stepMs ?? 0
    const waitMs = Math.min(stepMs, askAgainAtMostMs)
    if (stepMs >= askAgainFromMs && newestMs - this.#askedAtMs > waitMs) void this.#load()
  }
}
