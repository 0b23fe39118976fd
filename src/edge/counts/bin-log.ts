import * as z from 'zod'
import type { Clock } from '../../base/index.ts'
import { edgeBinSchema, type EdgeBin } from '../../contract/index.ts'
import { ReleaseCounts } from './release-counts.ts'

/** Bins are kept for 15 minutes. */
const keptMs = 900_000

/** No answer is larger than this many bins; the next call goes on. */
const pageSize = 2000

/** The bins of a service as one edge hands them to the next; ages, as each process has a monotonic time of its own. */
export const keptBinsSchema = z.object({
  seq: z.number().int().min(0),
  bins: z.array(z.object({ seq: z.number().int(), ageMs: z.number(), bin: edgeBinSchema })),
})
export type KeptBins = z.infer<typeof keptBinsSchema>

/**
 * The counts of one service: a bin a release and second, of releases that have a share, requests in progress, or had
 * requests. In memory: a restarted edge begins anew, and says so by another `bootId` in its cursors.
 */
export class BinLog {
  readonly #clock: Clock
  readonly #bootId: string
  readonly #releases = new Map<string, ReleaseCounts>()
  #bins: { seq: number; closedMs: number; bin: EdgeBin }[] = []
  #seq = 0
  #openedAtMs: number
  #openedMs: number

  constructor(clock: Clock, bootId: string) {
    this.#clock = clock
    this.#bootId = bootId
    this.#openedAtMs = clock.nowMs()
    this.#openedMs = clock.monotonicMs()
  }

  of(releaseId: string): ReleaseCounts {
    let counts = this.#releases.get(releaseId)
    if (!counts) {
      counts = new ReleaseCounts(this.#clock)
      this.#releases.set(releaseId, counts)
    }
    return counts
  }

  /** Ends the bins in progress; called each second. Releases of `routed` get one even when nothing happened. */
  close(routed: readonly string[]): void {
    const nowMs = this.#clock.monotonicMs()
    const span = { atMs: this.#openedAtMs, durationMs: nowMs - this.#openedMs }
    for (const id of routed) this.of(id)
    const shown = new Set(routed)
    for (const [releaseId, counts] of this.#releases) {
      if (counts.isIdle && !shown.has(releaseId)) {
        this.#releases.delete(releaseId)
        continue
      }
      this.#bins.push({ seq: ++this.#seq, closedMs: nowMs, bin: { ...span, releaseId, ...counts.close() } })
    }
    const firstKept = this.#bins.findIndex(({ closedMs }) => closedMs > nowMs - keptMs)
    if (firstKept > 0) this.#bins.splice(0, firstKept)
    this.#openedAtMs = this.#clock.nowMs()
    this.#openedMs = nowMs
  }

  /** All that is kept, for an edge that goes on from here. */
  get kept(): KeptBins {
    const nowMs = this.#clock.monotonicMs()
    const bins = this.#bins.map(({ seq, closedMs, bin }) => ({ seq, ageMs: nowMs - closedMs, bin }))
    return { seq: this.#seq, bins }
  }

  /** Goes on from what an edge before this one kept. */
  inherit({ seq, bins }: KeptBins): void {
    const nowMs = this.#clock.monotonicMs()
    this.#seq = seq
    this.#bins = bins.map(({ ageMs, ...entry }) => ({ ...entry, closedMs: nowMs - ageMs }))
  }

  /** Bins closed after the one with this number, and the number of the newest. */
  after(seq: number): { bins: EdgeBin[]; seq: number } {
    return { bins: this.#bins.filter((entry) => entry.seq > seq).map(({ bin }) => bin), seq: this.#seq }
  }

  /** Bins closed after `cursor`; all that are kept for null and for a cursor of an earlier run. */
  since(cursor: string | null): { bins: EdgeBin[]; cursor: string } {
    const [bootId, seq] = cursor?.split('.') ?? []
    const after = bootId === this.#bootId ? Number(seq) : 0
    const page = this.#bins.filter((entry) => entry.seq > after).slice(0, pageSize)
    return {
      bins: page.map(({ bin }) => bin),
      cursor: `${this.#bootId}.${page.at(-1)?.seq ?? (bootId === this.#bootId ? after : 0)}`,
    }
  }
}
