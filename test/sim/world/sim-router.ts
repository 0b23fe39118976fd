import type { Bin, Weights } from '../../../src/contract/index.ts'
import { AppError, fail, ok, type Result } from '../../../src/engine/core/index.ts'
import type {
  BinPage,
  EmergencyOrder,
  Router,
  RouterReport,
  SetWeightsRequest,
} from '../../../src/engine/services/index.ts'
import type { Wire } from './faults.ts'
import type { SimClock } from './sim-clock.ts'
import type { SimTarget } from './sim-target.ts'

/** Bins that are kept, as a real router keeps minutes. */
const keptBins = 600

/** Splits traffic by the second and keeps to the rules of the port. Lives on when engines die. */
export class SimRouter {
  readonly #clock: SimClock
  readonly #target: SimTarget
  requestsPerSecond = 100
  /** Nothing is counted, as with a broken meter. */
  isBlind = false
  /** Most bins of one answer. */
  pageSize = 200
  /** Releases that get nothing whatever their weight. */
  readonly unreachable = new Set<string>()
  #report: RouterReport = { weights: {}, fallbackReleaseId: null, revision: 0, key: '', emergency: null }
  readonly #keys = new Set<string>()
  #bins: { seq: number; bin: Bin }[] = []
  #seq = 0
  readonly #hangingFor = new Map<string, number>()
  #carry = new Map<string, number>()
  /** Told of each change as it comes true. */
  onChange: (after: RouterReport) => void = () => undefined
  /** Told of each change as an engine sends it, to hold it against what is stored: it may arrive late. */
  onSend: (request: SetWeightsRequest) => void = () => undefined

  constructor(clock: SimClock, target: SimTarget) {
    this.#clock = clock
    this.#target = target
  }

  get report(): RouterReport {
    return this.#report
  }

  /** As one engine reaches it. */
  behind(wire: Wire): Router {
    return {
      declare: () => wire.call('router', 'router.declare', () => ok({ address: 'http://127.0.0.1:1' })),
      withdraw: () => Promise.reject(new Error('no service is withdrawn here')),
      read: () => wire.call('router', 'router.read', () => ok(this.#report)),
      set: (request) => {
        this.onSend(request)
        const { weights, expectedRevision } = request
        return wire.call('router', `router.set ${JSON.stringify(weights)} @${expectedRevision}`, () =>
          this.set(request),
        )
      },
      emergency: async (orders) => {
        const answer = await wire.call('router', 'router.emergency', () =>
          ok(orders.map((order) => this.emergency(order))),
        )
        return answer.ok ? answer.value : orders.map(() => answer)
      },
      bins: (_, cursor) => wire.call('router', 'router.bins', () => this.bins(cursor)),
    }
  }

  set(request: SetWeightsRequest): Result<RouterReport> {
    const { weights, fallbackReleaseId, expectedRevision, key, endsEmergency } = request
    if (this.#keys.has(key)) return ok(this.#report)
    if (expectedRevision !== this.#report.revision)
      return fail(new AppError('CONFLICT', `revision is ${this.#report.revision}, not ${expectedRevision}`))
    if (this.#report.emergency && !endsEmergency) return fail(new AppError('CONFLICT', 'an emergency stands'))
    return this.#change({ weights, fallbackReleaseId, key, emergency: null })
  }

  emergency({ key, toReleaseId }: EmergencyOrder): Result<RouterReport> {
    if (this.#keys.has(key)) return ok(this.#report)
    const to = toReleaseId ?? this.#report.fallbackReleaseId
    if (to === null) return fail(new AppError('CONFLICT', 'there is no fallback'))
    const emergency = { key, atMs: this.#clock.nowMs() }
    return this.#change({ weights: { [to]: 100 }, fallbackReleaseId: to, key, emergency })
  }

  /** Weights and a standing emergency are lost, as when a router restarts from a file that never knew them. */
  restart(weights: Weights): void {
    this.#report = { ...this.#report, weights, revision: this.#report.revision + 1, key: '', emergency: null }
  }

  bins(cursor: string | null): Result<BinPage> {
    const from = cursor === null ? 0 : Number(cursor)
    const page = this.#bins.filter(({ seq }) => seq >= from).slice(0, this.pageSize)
    const last = page.at(-1)
    return ok({ bins: page.map(({ bin }) => bin), cursor: String(last ? last.seq + 1 : this.#seq) })
  }

  second(durationMs = 1000): void {
    if (this.isBlind) return
    for (const [releaseId, weight] of Object.entries(this.#report.weights)) {
      if (weight === 0 || this.unreachable.has(releaseId)) continue
      const exact = (this.requestsPerSecond * weight) / 100 + (this.#carry.get(releaseId) ?? 0)
      const requests = Math.floor(exact)
      this.#carry.set(releaseId, exact - requests)
      const { errorRatio, latencySlot, hangs } = this.#target.behaviour(releaseId)
      const isDown = this.#target.healthyCount(releaseId) === 0
      const hangingMs = hangs && !isDown ? (this.#hangingFor.get(releaseId) ?? 0) + durationMs : 0
      this.#hangingFor.set(releaseId, hangingMs)
      const ended = hangs && !isDown ? 0 : requests
      if (requests === 0 && hangingMs === 0) continue
      const latencyCounts = new Array<number>(latencySlot + 2).fill(0)
      // Half at the middle, a tail of a twentieth two bins above.
      latencyCounts[latencySlot] = Math.floor(ended * 0.9)
      latencyCounts[latencySlot + 1] = ended - Math.floor(ended * 0.9)
      const errorsExact = ended * (isDown ? 1 : errorRatio) + (this.#carry.get(`${releaseId} errors`) ?? 0)
      const errors = Math.min(ended, Math.floor(errorsExact))
      this.#carry.set(`${releaseId} errors`, errorsExact - errors)
      this.#bins.push({
        seq: this.#seq++,
        bin: {
          atMs: this.#clock.nowMs(),
          durationMs,
          releaseId,
          requests: ended,
          errors,
          timeouts: 0,
          inFlight: hangingMs > 0 ? requests + 1 : 0,
          oldestInFlightMs: hangingMs,
          latencyCounts,
        },
      })
    }
    if (this.#bins.length > 2 * keptBins) this.#bins = this.#bins.slice(-keptBins)
  }

  #change(change: Omit<RouterReport, 'revision'>): Result<RouterReport> {
    const sick = Object.entries(change.weights).find(
      ([releaseId, weight]) =>
        weight > (this.#report.weights[releaseId] ?? 0) && this.#target.healthyCount(releaseId) === 0,
    )
    if (sick) return fail(new AppError('NO_HEALTHY_INSTANCE', `${sick[0]} has no healthy instance`))
    this.#report = { ...change, revision: this.#report.revision + 1 }
    this.#keys.add(change.key)
    this.onChange(this.#report)
    return ok(this.#report)
  }
}
