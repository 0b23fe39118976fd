import type { Bin, CallClient } from '../../../contract/index.ts'
import { failureOf, type CallFailure } from '../../state/failure.ts'
import { finestBins, mergeBins } from '../../domain/deployments/bin-columns.ts'

export interface BinFeedOptions {
  calls(): Pick<CallClient, 'deployments' | 'services'>
  deploymentId: string
  service: string
  /** From when bins are of interest, engine's time. */
  fromMs: number
  /** When it ended, of one that has. */
  toMs: number | null
}

const everyMs = 2000
/** Asked for again, because the newest bin may not have been complete. */
const overlapMs = 3000

/** The counts of a deployment: what it was judged on, and while it runs the newest bins of the router every 2 s. */
export class BinFeed {
  #options: BinFeedOptions
  #bins = $state.raw<readonly Bin[]>([])
  #failure = $state.raw<CallFailure>()
  #isLoaded = $state(false)

  constructor(options: BinFeedOptions) {
    this.#options = options
  }

  get bins(): readonly Bin[] {
    return this.#bins
  }
  get failure(): CallFailure | undefined {
    return this.#failure
  }
  /** At least one call has answered. */
  get isLoaded(): boolean {
    return this.#isLoaded
  }

  /** Loads what was judged on, and follows the router while `isRunning`; the result stops it. */
  start(isRunning: boolean): () => void {
    let isWanted = true
    let timer: ReturnType<typeof setTimeout> | undefined
    const take = async (load: () => Promise<Bin[]>) => {
      try {
        const bins = await load()
        if (!isWanted) return
        this.#bins = mergeBins(this.#bins, bins, this.#options.fromMs)
        this.#failure = undefined
        this.#isLoaded = true
      } catch (error) {
        if (isWanted) this.#failure = failureOf(error)
      }
    }
    const options = this.#options
    const { deploymentId, service, fromMs } = options
    // What stable did before the deployment is with the router alone.
    let sinceMs = fromMs
    const follow = async () => {
      clearTimeout(timer)
      if (!isWanted) return
      if (!document.hidden)
        await take(async () => {
          const bins = await options.calls().services.bins({ service, fromMs: sinceMs })
          sinceMs = Math.max(sinceMs, (bins.at(-1)?.atMs ?? sinceMs) - overlapMs)
          return bins
        })
      if (isWanted) timer = setTimeout(() => void follow(), everyMs)
    }
    void take(async () => {
      const kept = await options.calls().deployments.bins({ id: deploymentId })
      const { toMs } = options
      const isAsked = !isRunning && toMs !== null && this.#bins.length === 0
      // The router may have forgotten it, or the service may be gone: what is kept is enough.
      const seconds = isAsked
        ? await options
            .calls()
            .services.bins({ service, fromMs })
            .catch(() => [])
        : this.#bins
      return finestBins(kept, seconds, toMs ?? Infinity)
    }).then(() => {
      if (isRunning) return follow()
    })
    return () => {
      isWanted = false
      clearTimeout(timer)
    }
  }
}
