import type { Chart, SampleRows } from '../../contract/index.ts'
import { ColumnWindow } from './column-window.ts'

/** What the hub needs of the link to the engine. */
export interface SampleSource {
  /** Chooses what is streamed; replaces the choice before. */
  stream(hosts: { hostId: string; seriesIds: number[] }[]): void
  onSamples(listener: (rows: SampleRows[]) => void): () => void
  /** Calls `listener` at each new connection, with the engine's epoch. */
  onOpen(listener: (epoch: string) => void): () => void
  chart(input: {
    hostId: string
    seriesIds: number[]
    fromMs: number
    toMs: number
    maxPoints: number
  }): Promise<Chart>
  engineNowMs(): number
}

/** Whether anyone can see the page. */
export interface PageVisibility {
  isHidden(): boolean
  onChange(listener: () => void): () => void
}

export interface Want {
  hostId: string
  seriesIds: readonly number[]
  /** How far back the columns reach. */
  windowMs: number
  /** New columns stand ready: after history was loaded and after each batch of samples. */
  changed(): void
}

/** Views into the hub's memory, ascending in time; valid until the next `changed`. */
export interface SampleColumns {
  timesMs: Float64Array
  values: Float64Array
}

interface Entry {
  hostId: string
  seriesId: number
  window: ColumnWindow
  /** History was asked for since the last gap. */
  isFilled: boolean
}

const seriesPerChart = 64
const maxPoints = 5000
/** A silence this long between two rows may be rows that were left out for a slow page. */
const gapMs = 10_000

/**
 * The samples of all mounted parts of the page: one stream for all of them, one window of columns a series,
 * history loaded at the beginning and again after a gap, a restart of the engine or a time out of sight.
 */
export class SampleHub implements Disposable {
  #source: SampleSource
  #visibility: PageVisibility
  #wants = new Set<Want>()
  #entries = new Map<string, Entry>()
  #streamed = ''
  #isPlanned = false
  #epoch = ''
  #generation = 0
  #stops: (() => void)[]

  constructor(source: SampleSource, visibility: PageVisibility) {
    this.#source = source
    this.#visibility = visibility
    this.#stops = [
      source.onSamples((rows) => this.#take(rows)),
      source.onOpen((epoch) => this.#opened(epoch)),
      visibility.onChange(() => {
        if (!visibility.isHidden()) this.#forgetHistory()
        this.#plan()
      }),
    ]
  }

  /** Keeps the series loaded and streamed until the result is called. */
  want(want: Want): () => void {
    this.#wants.add(want)
    this.#plan()
    return () => {
      this.#wants.delete(want)
      this.#plan()
    }
  }

  /** The columns of a wanted series; empty before anything is there. */
  columns(hostId: string, seriesId: number): SampleColumns {
    const window = this.#entries.get(keyOf(hostId, seriesId))?.window
    if (!window) return { timesMs: new Float64Array(), values: new Float64Array() }
    const { timesMs, values } = window
    return { timesMs, values }
  }

  /** The newest number of a wanted series, however old; undefined before there is one. */
  latest(hostId: string, seriesId: number): { atMs: number; value: number } | undefined {
    const { timesMs, values } = this.columns(hostId, seriesId)
    for (let at = values.length - 1; at >= 0; at--) {
      const value = values[at] ?? Number.NaN
      if (!Number.isNaN(value)) return { atMs: timesMs[at] ?? 0, value }
    }
    return undefined
  }

  [Symbol.dispose](): void {
    for (const stop of this.#stops.splice(0)) stop()
    this.#wants.clear()
    this.#entries.clear()
  }

  /** Once for all parts that come and go in the same turn. */
  #plan(): void {
    if (this.#isPlanned) return
    this.#isPlanned = true
    queueMicrotask(() => {
      this.#isPlanned = false
      this.#settle()
    })
  }

  #settle(): void {
    const wanted = new Map<string, Entry>()
    for (const { hostId, seriesIds, windowMs } of this.#wants) {
      for (const seriesId of seriesIds) {
        const key = keyOf(hostId, seriesId)
        const entry = wanted.get(key) ??
          this.#entries.get(key) ?? { hostId, seriesId, window: new ColumnWindow(windowMs), isFilled: false }
        if (windowMs > entry.window.spanMs) {
          entry.window.widen(windowMs)
          entry.isFilled = false
        }
        wanted.set(key, entry)
      }
    }
    this.#entries = wanted
    const isHidden = this.#visibility.isHidden()
    const hosts = isHidden ? [] : byHost(wanted.values())
    const choice = JSON.stringify(hosts)
    if (choice !== this.#streamed) {
      this.#streamed = choice
      this.#source.stream(hosts)
    }
    if (!isHidden && this.#epoch) this.#fill([...wanted.values()].filter(({ isFilled }) => !isFilled))
  }

  #take(batches: SampleRows[]): void {
    const touched = new Set<string>()
    let isGap = false
    for (const { hostId, seriesIds, timesMs, values } of batches) {
      seriesIds.forEach((seriesId, column) => {
        const entry = this.#entries.get(keyOf(hostId, seriesId))
        if (!entry) return
        const firstMs = timesMs[0] ?? Number.NaN
        if (entry.isFilled && entry.window.length > 0 && firstMs - entry.window.lastMs > gapMs) {
          entry.isFilled = false
          isGap = true
        }
        timesMs.forEach((timeMs, row) => {
          entry.window.push(timeMs, values[row * seriesIds.length + column] ?? Number.NaN)
        })
        touched.add(keyOf(hostId, seriesId))
      })
    }
    if (isGap) this.#plan()
    this.#tell(touched)
  }

  #opened(epoch: string): void {
    if (epoch !== this.#epoch) {
      // Ids of series belong to the engine that gave them.
      this.#epoch = epoch
      this.#generation += 1
      for (const { window } of this.#entries.values()) window.clear()
    }
    this.#forgetHistory()
    this.#plan()
  }

  #forgetHistory(): void {
    for (const entry of this.#entries.values()) entry.isFilled = false
  }

  #fill(entries: Entry[]): void {
    const toMs = this.#source.engineNowMs()
    for (const { hostId, seriesIds } of byHost(entries)) {
      for (let at = 0; at < seriesIds.length; at += seriesPerChart) {
        const chunk = seriesIds.slice(at, at + seriesPerChart)
        const spans = chunk.map((id) => this.#entries.get(keyOf(hostId, id))?.window.spanMs ?? 0)
        const fromMs = toMs - Math.max(...spans)
        void this.#load({ hostId, seriesIds: chunk, fromMs, toMs, maxPoints })
      }
    }
    for (const entry of entries) entry.isFilled = true
  }

  /** A refusal leaves the live samples standing alone; the next connection asks again. */
  async #load(input: Parameters<SampleSource['chart']>[0]): Promise<void> {
    const generation = this.#generation
    let chart: Chart
    try {
      chart = await this.#source.chart(input)
    } catch {
      return
    }
    if (generation !== this.#generation) return
    const touched = new Set<string>()
    for (const { seriesId, timesMs, mean } of chart.series) {
      const key = keyOf(input.hostId, seriesId)
      this.#entries.get(key)?.window.fill(timesMs, mean)
      touched.add(key)
    }
    this.#tell(touched)
  }

  #tell(keys: ReadonlySet<string>): void {
    for (const want of [...this.#wants]) {
      if (want.seriesIds.some((id) => keys.has(keyOf(want.hostId, id)))) want.changed()
    }
  }
}

function keyOf(hostId: string, seriesId: number): string {
  return `${seriesId} ${hostId}`
}

function byHost(entries: Iterable<Entry>): { hostId: string; seriesIds: number[] }[] {
  const hosts = new Map<string, number[]>()
  for (const { hostId, seriesId } of entries) {
    const ids = hosts.get(hostId)
    if (ids) ids.push(seriesId)
    else hosts.set(hostId, [seriesId])
  }
  return [...hosts].map(([hostId, ids]) => ({ hostId, seriesIds: ids.sort((a, b) => a - b) }))
}
