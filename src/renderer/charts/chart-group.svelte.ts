import type { Marker } from './time-chart.ts'

export interface TimeRange {
  fromMs: number
  toMs: number
}

export interface ChartGroupOptions {
  /** A person chose a stretch of time. */
  zoomed(range: TimeRange): void
  /** A person wants the range before. */
  wentBack(): void
  /** A person wants to see what a marker marks. */
  opened?(link: string): void
}

/** Least stretch of time worth zooming to. */
const leastSpanMs = 5000

/** What the charts of one screen share: the range, the crosshair, the stretch being chosen, the markers. */
export class ChartGroup {
  #range = $state.raw<TimeRange>({ fromMs: 0, toMs: 1 })
  #crosshairMs = $state<number>()
  #selection = $state.raw<TimeRange>()
  #markers = $state.raw<readonly Marker[]>([])
  #options: ChartGroupOptions

  constructor(options: ChartGroupOptions) {
    this.#options = options
  }

  get range(): TimeRange {
    return this.#range
  }
  get crosshairMs(): number | undefined {
    return this.#crosshairMs
  }
  /** Being dragged; its ends may be in either order. */
  get selection(): TimeRange | undefined {
    return this.#selection
  }
  get markers(): readonly Marker[] {
    return this.#markers
  }

  setRange(range: TimeRange): void {
    if (range.fromMs !== this.#range.fromMs || range.toMs !== this.#range.toMs) this.#range = range
  }

  setMarkers(markers: readonly Marker[]): void {
    this.#markers = markers
  }

  /** The marker under the crosshair or next to it; what leads somewhere before what does not. */
  get crosshairMarker(): Marker | undefined {
    const at = this.#crosshairMs
    if (at === undefined) return undefined
    const reachMs = (this.#range.toMs - this.#range.fromMs) / 80
    const distance = (marker: Marker) => Math.abs(marker.timeMs - at)
    return this.#markers
      .filter((marker) => distance(marker) <= reachMs)
      .sort((a, b) => Number(!a.link) - Number(!b.link) || distance(a) - distance(b))[0]
  }

  /** Shows what the marker under the crosshair marks, where it leads anywhere. */
  openMarker(): void {
    const link = this.crosshairMarker?.link
    if (link) this.#options.opened?.(link)
  }

  /** Moves the crosshair of all charts; undefined takes it away. */
  point(timeMs: number | undefined): void {
    this.#crosshairMs = timeMs === undefined ? undefined : this.#within(timeMs)
  }

  /** Moves the crosshair by a time, from the newest end when there is none. */
  step(byMs: number): void {
    this.point((this.#crosshairMs ?? this.#range.toMs) + byMs)
  }

  /** The crosshair moves and a stretch grows with it from where it was. */
  stretch(byMs: number): void {
    const fromMs = this.#selection?.fromMs ?? this.#crosshairMs ?? this.#range.toMs
    this.step(byMs)
    this.#selection = { fromMs, toMs: this.#crosshairMs ?? fromMs }
  }

  beginSelection(timeMs: number): void {
    const at = this.#within(timeMs)
    this.#selection = { fromMs: at, toMs: at }
  }

  moveSelection(timeMs: number): void {
    if (this.#selection) this.#selection = { ...this.#selection, toMs: this.#within(timeMs) }
  }

  cancelSelection(): void {
    this.#selection = undefined
  }

  /** Zooms all charts to the stretch, when it is one. */
  commitSelection(): void {
    const selection = this.#selection
    this.#selection = undefined
    if (!selection) return
    const fromMs = Math.round(Math.min(selection.fromMs, selection.toMs))
    const toMs = Math.round(Math.max(selection.fromMs, selection.toMs))
    if (toMs - fromMs >= leastSpanMs) this.#options.zoomed({ fromMs, toMs })
  }

  /** Escape, in the order a person expects: the stretch, the crosshair, the zoom. */
  escape(): void {
    if (this.#selection) this.cancelSelection()
    else if (this.#crosshairMs !== undefined) this.point(undefined)
    else this.#options.wentBack()
  }

  back(): void {
    this.cancelSelection()
    this.#options.wentBack()
  }

  #within(timeMs: number): number {
    return Math.min(this.#range.toMs, Math.max(this.#range.fromMs, timeMs))
  }
}
