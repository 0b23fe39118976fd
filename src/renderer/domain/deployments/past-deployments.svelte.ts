import type { Deployment } from '../../../contract/index.ts'
import type { TimeRange } from '../../charts/index.ts'

/** More in one range could not be told apart on a chart. */
const most = 100
/** How long an ended deployment stays among the live records, with time to spare. */
const liveMs = 30 * 60_000

type List = (filter: { fromMs: number; toMs: number; limit: number }) => Promise<Deployment[]>

/** Deployments of a range of time, whether they are still among the live records or not. */
export class PastDeployments {
  #found = $state.raw<readonly Deployment[]>([])
  #loaded: TimeRange | null = null

  /** Asks for what is not known of `range` yet; without an answer the charts only lack their markers. */
  async cover({ fromMs, toMs }: TimeRange, list: List): Promise<void> {
    const loaded = this.#loaded
    if (loaded && fromMs >= loaded.fromMs && toMs <= loaded.toMs + liveMs) return
    const asked = { fromMs, toMs }
    this.#loaded = asked
    try {
      const found = await list({ fromMs, toMs: toMs + liveMs, limit: most })
      if (this.#loaded === asked) this.#found = found
    } catch {
      if (this.#loaded === asked) this.#loaded = null
    }
  }

  /** With the live ones in the place of what was known of them. */
  with(live: readonly Deployment[]): Deployment[] {
    const present = live.map(({ id }) => id)
    return [...live, ...this.#found.filter(({ id }) => !present.includes(id))]
  }
}
