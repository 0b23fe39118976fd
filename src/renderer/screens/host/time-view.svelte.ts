import { untrack } from 'svelte'
import { ChartGroup, type TimeRange } from '../../charts/index.ts'
import type { ViewRouter } from '../../routing/index.ts'
import {
  liveStepMs,
  neighbour,
  rangeChoice,
  rangeQuery,
  type RangePreset,
  type RangeChoice,
} from './range.ts'

/** Ways back from zooms that are remembered. */
const longestTrail = 30

/** Which stretch of time the screen shows: the address says it, the charts share it. */
export class TimeView {
  readonly group = new ChartGroup({
    zoomed: (range) => this.#zoom(range),
    wentBack: () => this.back(),
    opened: (link) => this.#router.go(link),
  })
  #router: Pick<ViewRouter, 'query' | 'setQuery' | 'go'>
  #engineNowMs: () => number
  #trail: RangeChoice[] = []
  // By what concerns time only: the letters of a filter must not load charts again.
  #key = $derived.by(() => JSON.stringify(Object.entries(rangeQuery(rangeChoice(this.#router.query)))))
  #choice = $derived.by(() => {
    void this.#key
    return untrack(() => rangeChoice(this.#router.query))
  })

  constructor(router: Pick<ViewRouter, 'query' | 'setQuery' | 'go'>, engineNowMs: () => number) {
    this.#router = router
    this.#engineNowMs = engineNowMs
  }

  get choice(): RangeChoice {
    return this.#choice
  }
  get isLive(): boolean {
    return this.#choice.kind === 'live'
  }

  /** Brings the charts to what the address says; called whenever that changes. */
  settle(choice: RangeChoice): void {
    this.group.cancelSelection()
    if (choice.kind === 'live') {
      const toMs = this.#engineNowMs()
      this.group.setRange({ fromMs: toMs - choice.preset.spanMs, toMs })
    } else if (choice.range) {
      this.group.setRange(choice.range)
    } else {
      const toMs = this.#engineNowMs()
      this.#put({ ...choice, range: { fromMs: toMs - choice.preset.spanMs, toMs } }, false)
    }
  }

  /** Moves the live range on to `newestMs`, by whole steps only: less than a pixel is not worth a redraw. */
  follow(newestMs: number): void {
    if (this.#choice.kind !== 'live') return
    const { spanMs } = this.#choice.preset
    if (newestMs - this.group.range.toMs < liveStepMs(spanMs)) return
    this.group.setRange({ fromMs: newestMs - spanMs, toMs: newestMs })
  }

  choose(preset: RangePreset): void {
    this.#trail = []
    this.#put({ kind: 'live', preset })
  }

  /** The next longer or shorter preset. */
  widen(by: 1 | -1): void {
    this.choose(neighbour(this.#choice.preset, by))
  }

  /** Stops where it is, or goes on live. */
  togglePause(): void {
    if (this.#choice.kind === 'live') {
      this.#put({ kind: 'paused', preset: this.#choice.preset, range: this.group.range })
    } else {
      this.choose(this.#choice.preset)
    }
  }

  /** Undoes the newest zoom; live again when there is none. */
  back(): void {
    const before = this.#trail.pop()
    if (before) this.#put(before)
    else if (this.#choice.kind !== 'live') this.choose(this.#choice.preset)
  }

  #zoom(range: TimeRange): void {
    this.#trail = [...this.#trail, this.#choice].slice(-longestTrail)
    const { kind, preset } = this.#choice
    this.#put(kind === 'paused' ? { kind, preset, range } : { kind: 'still', preset, range })
  }

  #put(choice: RangeChoice, isStep = true): void {
    this.#router.setQuery(rangeQuery(choice), { isStep })
  }
}
