import { AppError, fail, ok, type Result } from '../../../src/base/index.ts'
import { longWaitMs, type Bin, type Weights } from '../../../src/contract/index.ts'
import type {
  BinPage,
  EmergencyOrder,
  Router,
  RouterReport,
  SetWeightsRequest,
} from '../../../src/engine/platforms/index.ts'
import type { Wire } from './faults.ts'
import type { SimClock } from './sim-clock.ts'
import type { SimTarget } from './sim-target.ts'
import { uneventful } from '../../support/uneventful.ts'

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
  /** Responses of a release that go on, by the second in which they began, oldest first. */
  readonly #streams = new Map<string, number[]>()
  /** As an edge that does not tell which responses have begun. */
  isEarlier = false
  readonly #carry = new Map<string, number>()
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

  /** Loses its state, as after damage to its disk. */
  forget(): void {
    this.#report = { weights: {}, fallbackReleaseId: null, revision: 0, key: '', emergency: null }
    this.#keys.clear()
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
    const unrouted = Object.fromEntries(this.#target.crashed.map((releaseId) => [releaseId, 0]))
    for (const [releaseId, weight] of Object.entries({ ...unrouted, ...this.#report.weights })) {
      const crashes = this.#target.takeCrashes(releaseId)
      const isUnrouted = weight === 0 || this.unreachable.has(releaseId)
      const routed = isUnrouted ? 0 : this.#whole(releaseId, (this.requestsPerSecond * weight) / 100)
      const { errorRatio, latencySlot, hangs, streamsForS, abandonedRatio, divertedRatio } =
        this.#target.behaviour(releaseId)
      const isDown = this.#target.healthyCount(releaseId) === 0
      const isFallback = releaseId === this.#report.fallbackReleaseId
      const diverted = this.#whole(
        `${releaseId} diverted`,
        routed * (isDown && !isFallback ? 1 : divertedRatio),
      )
      const abandoned = this.#whole(`${releaseId} abandoned`, (routed - diverted) * abandonedRatio)
      const requests = Math.max(0, routed - diverted - abandoned)
      const isHanging = hangs && !isDown && !isUnrouted
      const hangingMs = isHanging ? (this.#hangingFor.get(releaseId) ?? 0) + durationMs : 0
      this.#hangingFor.set(releaseId, hangingMs)
      const isLong = hangingMs >= longWaitMs ? 1 : 0
      const begun = isHanging ? 0 : requests
      const streams = [...(this.#streams.get(releaseId) ?? []), begun]
      const ended = streams.splice(0, streams.length - streamsForS).reduce((sum, count) => sum + count, 0)
      this.#streams.set(releaseId, streams)
      const streaming = streams.reduce((sum, count) => sum + count, 0)
      if (routed === 0 && hangingMs === 0 && crashes === 0 && ended + streaming === 0) continue
      const latencyCounts = new Array<number>(latencySlot + 2).fill(0)
      // Half at the middle, a tail of a twentieth two bins above.
      latencyCounts[latencySlot] = Math.floor(ended * 0.9)
      latencyCounts[latencySlot + 1] = ended - Math.floor(ended * 0.9)
      const errors = Math.min(ended, this.#whole(`${releaseId} errors`, ended * (isDown ? 1 : errorRatio)))
      this.#bins.push({
        seq: this.#seq++,
        bin: {
          atMs: this.#clock.nowMs(),
          durationMs,
          releaseId,
          requests: ended,
          errors,
          ...uneventful,
          abandoned,
          diverted,
          unserved: isDown ? ended : 0,
          crashes,
          timeouts: 0,
          inFlight: isHanging ? requests + 1 : streaming,
          oldestInFlightMs: isHanging ? hangingMs : streaming > 0 ? streams.length * 1000 : 0,
          ...(this.isEarlier
            ? {}
            : {
                begun,
                longInFlight: isHanging
                  ? isLong
                  : streams.slice(0, -10).reduce((sum, count) => sum + count, 0),
                unanswered: isLong,
                oldestUnansweredMs: isLong * hangingMs,
                stalled: 0,
              }),
          latencyCounts,
        },
      })
    }
    if (this.#bins.length > 2 * keptBins) this.#bins = this.#bins.slice(-keptBins)
  }

  /** The whole part of `exact`; what is left over is added the next time. */
  #whole(key: string, exact: number): number {
    const all = exact + (this.#carry.get(key) ?? 0)
    const whole = Math.floor(all)
    this.#carry.set(key, all - whole)
    return whole
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
