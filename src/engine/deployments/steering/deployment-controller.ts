import { AppError, fail, ok, type Result } from '../../../base/index.ts'
import {
  type Actor,
  notFoundText,
  shownPhaseName,
  weightOf,
  type Deployment,
  type Plan,
  type PlanOptions,
  type Release,
  type RollbackOutcome,
  type WayBack,
} from '../../../contract/index.ts'
import { audited } from '../../audit/index.ts'
import { within, type Loop } from '../../core/index.ts'
import type { EmergencyOrder, Router, RouterReport } from '../../platforms/index.ts'
import { changedSince, type Command, type Seen } from '../commands.ts'
import { buildPlan, judgedBy, planAgain, planBeside, straightPlan, undoPlan } from '../plan.ts'
import { isBehind, releaseBefore } from '../release-line.ts'
import { currentInstances, type ScaleRequest } from '../scaling.ts'
import { hasEnded, isRetiring } from '../state.ts'
import { historyOf } from './look-back.ts'
import { answerWithinMs, type PipelineParts, type SteeredService } from './parts.ts'
import type { EmergencyRequest } from './emergency.ts'
import { ServiceLoop, type ServiceView } from './service-loop.ts'

export interface DeployRequest extends Seen {
  service: string
  releaseId: string
  /** Options of the environment, the service and this deployment, in rising precedence. */
  options: readonly PlanOptions[]
  by: Actor
  why: string
}

export interface DeploymentControllerOptions {
  /** Most deployments that may move at the same time, over all services. */
  mostAtOnce: number
  changed: (view: ServiceView) => void
}

/** Steers all services, and takes what people ask of their deployments. */
export class DeploymentController implements Disposable {
  readonly #parts: PipelineParts
  readonly #options: DeploymentControllerOptions
  readonly #services = new Map<string, { loop: ServiceLoop; service: SteeredService }>()

  constructor(
    parts: PipelineParts,
    services: readonly SteeredService[],
    options: DeploymentControllerOptions,
  ) {
    this.#parts = parts
    this.#options = options
    for (const service of services) this.add(service)
  }

  /** Adds a service, replacing one of the same name. Returns the loop that steers it. */
  add(service: SteeredService): Loop {
    const { name } = service.definition
    const { changed, mostAtOnce } = this.#options
    this.remove(name)
    const loop = new ServiceLoop(this.#parts, service, changed, () => this.#movingCount() < mostAtOnce)
    this.#services.set(name, { loop, service })
    return loopOf(loop)
  }

  /** Stops steering a service, whose loop must have ended. Its instances stay as they are. */
  remove(name: string): void {
    this.#services.get(name)?.loop[Symbol.dispose]()
    this.#services.delete(name)
  }

  /** The loops of all services, for the supervisor. */
  get loops(): Loop[] {
    return [...this.#services.values()].map(({ loop }) => loopOf(loop))
  }

  get views(): ServiceView[] {
    return [...this.#services.values()].map(({ loop }) => loop.view)
  }

  [Symbol.dispose](): void {
    for (const { loop } of this.#services.values()) loop[Symbol.dispose]()
  }

  /** Starts a deployment and returns its id. BAD_INPUT for a plan that cannot work, NOT_FOUND, CONFLICT. */
  async deploy(request: DeployRequest): Promise<Result<string>> {
    const plan = await this.plan(request.service, request.options)
    return plan.ok ? this.#start(request, plan.value, '') : plan
  }

  /**
   * The plan that the options give. The first release of a service has nothing to be compared with: it takes all
   * traffic as soon as it is healthy, whatever its steps.
   */
  async plan(service: string, options: readonly PlanOptions[]): Promise<Result<Plan>> {
    const built = buildPlan(...options)
    const plan = built.ok ? ok(judgedBy(this.#parts.judge, built.value)) : built
    const found = this.#find(service)
    if (!plan.ok || !found.ok) return plan
    const { loop } = found.value
    const loaded = await loop.load()
    if (!loaded.ok) return loaded
    // Nothing is known yet of a service that was never observed: its router may have traffic to compare with.
    if (loop.view.record.stableReleaseId === null && loop.view.router === null) await loop.tick()
    const { record, router } = loop.view
    const isFirst = record.stableReleaseId === null && router !== null && !hasTraffic(router)
    return isFirst ? ok(planBeside(null, plan.value)) : plan
  }

  /**
   * Starts an earlier deployment again, with clean counters and the number of instances declared now. Only for one
   * that was rolled back or failed.
   */
  async retry(
    deploymentId: string,
    asked: Omit<DeployRequest, 'service' | 'releaseId' | 'options'>,
  ): Promise<Result<string>> {
    const earlier = await this.#deployment(deploymentId)
    if (!earlier.ok) return earlier
    const { phase, service, candidateReleaseId: releaseId, plan } = earlier.value
    if (phase !== 'rolled_back' && phase !== 'failed')
      return fail(
        new AppError(
          'CONFLICT',
          `${deploymentId} is ${shownPhaseName(earlier.value)}: only a deployment that was rolled back or failed can be retried`,
        ),
      )
    const found = this.#find(service)
    if (!found.ok) return found
    const loaded = await found.value.loop.load()
    if (!loaded.ok) return loaded
    const again = planAgain(plan, found.value.loop.declaredInstances)
    return this.#start({ ...asked, service, releaseId }, again, deploymentId)
  }

  /**
   * Returns to an earlier release; without a name, to the previous stable release that was not itself left by an undo
   * or a rollback. If that one is still warm, its traffic returns at once; otherwise it is started and gets the
   * traffic when it is healthy. A release that was left returns only when it is named, as a deployment with all
   * checks. NOT_FOUND, before anything moves, for an unknown release.
   */
  async undo(
    request: Omit<DeployRequest, 'options' | 'releaseId'> & { releaseId?: string },
  ): Promise<Result<string>> {
    const { service, by, why, expectedRevision } = request
    const found = this.#find(service)
    if (!found.ok) return found
    const loaded = await found.value.loop.load()
    if (!loaded.ok) return loaded
    const { record } = found.value.loop.view
    if (expectedRevision !== null && expectedRevision !== record.revision)
      return fail(changedSince(record, expectedRevision))
    const active = found.value.loop.view.open[0]
    const warm = active?.stage.kind === 'warm' ? active : null
    const promotedNow = active && (warm || isRetiring(active)) ? active : null
    const history = await historyOf(this.#parts, service, promotedNow)
    if (!history.ok) return history
    const { line, promoted } = history.value
    const releaseId = request.releaseId ?? releaseBefore(line)
    if (releaseId === null) return fail(nothingBefore(service))
    if (warm?.stableReleaseId === releaseId) {
      const aborted = await found.value.loop.command(warm.id, {
        kind: 'abort',
        by,
        why,
        expectedRevision: null,
      })
      return aborted.ok ? ok(warm.id) : aborted
    }
    const plan = promoted.find((each) => !each.plan.isUndo)?.plan ?? active?.plan
    const usual = plan ? ok(plan) : buildPlan()
    if (!usual.ok) return usual
    // The service may have been scaled since that plan.
    const instances = record.stableReleaseId === null ? usual.value.instances : currentInstances(record)
    const back = (isBehind(line, releaseId) ? undoPlan : straightPlan)({ ...usual.value, instances })
    return this.#start({ ...request, releaseId }, back, '')
  }

  async command(deploymentId: string, command: Command): Promise<Result<void>> {
    const owner = [...this.#services.values()].find(({ loop }) =>
      loop.view.open.some(({ id }) => id === deploymentId),
    )
    if (owner) return owner.loop.command(deploymentId, command)
    const kept = await this.#deployment(deploymentId)
    if (!kept.ok) return kept
    const { service, endedAtMs } = kept.value
    if (endedAtMs !== null)
      return fail(
        new AppError('CONFLICT', `${deploymentId} has already ended (${shownPhaseName(kept.value)})`),
      )
    // An engine that has just started may not have read it yet.
    const found = this.#find(service)
    return found.ok ? found.value.loop.command(deploymentId, command) : found
  }

  /**
   * Stops every deployment of the named services, or of all services that have one, and returns their traffic at once:
   * routers first, in parallel, without a read or write before. It does not wait for what follows (recording,
   * draining, stopping). A candidate without traffic loses its deployment, too: the router keeps that an emergency
   * stands.
   */
  async emergency(services: readonly string[] | 'all', by: Actor, why: string): Promise<RollbackOutcome[]> {
    const request: EmergencyRequest = { by, why, key: `emergency:${this.#parts.rng.hex(8)}` }
    const startedAt = this.#parts.clock.monotonicMs()
    const names = services === 'all' ? [...this.#services.keys()] : [...new Set(services)]
    const outcomes = new Map<string, RollbackOutcome>()
    const note = (service: string, from: string | null, answer: Result<RouterReport>) => {
      const tookMs = this.#parts.clock.monotonicMs() - startedAt
      outcomes.set(service, outcomeOf(service, from, answer, tookMs))
    }
    const orders = new Map<Router, Ordered[]>()
    const unrouted: { loop: ServiceLoop; way: WayBack }[] = []
    for (const name of names) {
      const found = this.#find(name)
      const way = found.ok ? found.value.loop.wayBack() : found
      if (!found.ok || !way.ok) {
        if (services !== 'all') note(name, null, way.ok ? this.#missing(name) : way)
        continue
      }
      const { loop, service } = found.value
      loop.halt(request)
      const { from, to } = way.value ?? { from: null, to: null }
      if (way.value && to === null) {
        unrouted.push({ loop, way: way.value })
        continue
      }
      const order = {
        service: name,
        key: `${name}:${request.key}`,
        ...(to === null ? {} : { toReleaseId: to }),
      }
      orders.set(service.router, [...(orders.get(service.router) ?? []), { order, loop, from }])
    }
    await Promise.all([
      ...unrouted.map(async ({ loop, way }) => {
        await loop.afterEmergency(request, null)
        const tookMs = this.#parts.clock.monotonicMs() - startedAt
        outcomes.set(loop.name, stoppedOutcome(loop, way, tookMs))
      }),
      ...[...orders].map(async ([router, each]) => {
        const answers = await within(this.#parts.clock, answerWithinMs, 'the router', async () =>
          ok(await router.emergency(each.map(({ order }) => order))),
        )
        each.forEach(({ order, loop, from }, i) => {
          const none = fail(new AppError('UNAVAILABLE', `The router did not answer for ${order.service}`))
          const answer = answers.ok ? (answers.value[i] ?? none) : answers
          note(order.service, from, verified(order, answer))
          void loop.afterEmergency(request, answer)
        })
      }),
    ])
    return names.flatMap((name) => outcomes.get(name) ?? [])
  }

  /**
   * Sets the number of instances that a service's configuration declares; call it after each `add`. A change applies
   * to the stable release without a deployment, after those that are open, even if the engine restarts meanwhile.
   */
  declareInstances(service: string, request: ScaleRequest): void {
    this.#services.get(service)?.loop.declareInstances(request)
  }

  async resumeAutomation(
    service: string,
    by: Actor,
    why: string,
    expectedRevision: number | null = null,
  ): Promise<Result<void>> {
    const found = this.#find(service)
    return found.ok ? found.value.loop.resumeAutomation(by, why, expectedRevision) : found
  }

  /**
   * Stores a release, so that it can be deployed. CONFLICT when another release has its name, because releases never
   * change.
   */
  async addRelease(release: Release): Promise<Result<void>> {
    const found = this.#find(release.service)
    if (!found.ok) return found
    return this.#ask(() =>
      this.#parts.stores.work.commit([
        { kind: 'addRelease', release },
        ...audited([
          {
            atMs: this.#parts.clock.nowMs(),
            actor: release.createdBy,
            action: 'releases.add',
            target: release.service,
            why: release.note,
            details: { releaseId: release.id },
          },
        ]),
      ]),
    )
  }

  async #start(
    request: Omit<DeployRequest, 'options'>,
    plan: Plan,
    retryOf: string,
  ): Promise<Result<string>> {
    const { service, releaseId, by, why } = request
    const found = this.#find(service)
    if (!found.ok) return found
    const release = await this.#ask(() => this.#parts.stores.releases.find(service, releaseId))
    if (!release.ok) return release
    const id = `d-${this.#parts.clock.nowMs().toString(36)}-${this.#parts.rng.hex(4)}`
    const { loop } = found.value
    const { declaredInstances: declared } = loop
    // A plan taken from an earlier deployment is judged by the current judge.
    const judged = judgedBy(this.#parts.judge, plan)
    const noted = declared === null ? judged : { ...judged, declaredInstances: declared }
    const asked = await loop.request(
      { id, service, candidateReleaseId: releaseId, plan: noted, by, why, retryOf },
      request,
    )
    return asked.ok ? ok(id) : asked
  }

  #find(name: string): Result<{ loop: ServiceLoop; service: SteeredService }> {
    const found = this.#services.get(name)
    return found ? ok(found) : this.#missing(name)
  }

  #missing(name: string): Result<never> {
    return fail(new AppError('NOT_FOUND', notFoundText('service', name, [...this.#services.keys()])))
  }

  #deployment(id: string): Promise<Result<Deployment>> {
    return this.#ask(() => this.#parts.stores.deployments.find(id))
  }

  #movingCount(): number {
    return [...this.#services.values()].filter(({ loop }) => {
      const [active] = loop.view.open
      return active !== undefined && !hasEnded(active) && active.stage.kind !== 'queued'
    }).length
  }

  #ask<T>(call: () => Promise<Result<T>>): Promise<Result<T>> {
    return within(this.#parts.clock, answerWithinMs, 'the state database', call)
  }
}

const nothingBefore = (service: string): AppError =>
  new AppError(
    'NOT_FOUND',
    `${service} has no release to return to: each earlier one was itself rolled back or undone`,
    {
      details: { nextCommand: `pilothouse deployments undo ${service} RELEASE` },
    },
  )

const hasTraffic = (router: RouterReport): boolean =>
  Object.values(router.weights).some((weight) => weight > 0)

const loopOf = (loop: ServiceLoop): Loop => ({
  name: `service ${loop.name}`,
  run: (signal, heart) => loop.run(signal, heart),
  deadlineMs: 60_000,
})

interface Ordered {
  order: EmergencyOrder
  loop: ServiceLoop
  from: string | null
}

function outcomeOf(
  service: string,
  from: string | null,
  answer: Result<RouterReport>,
  tookMs: number,
): RollbackOutcome {
  const to = answer.ok
    ? (Object.entries(answer.value.weights).find(([, weight]) => weight === 100)?.[0] ?? null)
    : null
  const text = answer.ok
    ? `All traffic of ${service} goes to ${to ?? 'no release'}, verified${answer.value.isKept === false ? notKept : ''}`
    : answer.error.message
  const outcome = { service, ok: answer.ok, releaseId: to, fromReleaseId: from, tookMs, text }
  if (answer.ok) return outcome
  const { code, details } = answer.error
  const { nextCommand } = details
  return { ...outcome, code, ...(typeof nextCommand === 'string' ? { nextCommand } : {}) }
}

/** Outcome for a first release without traffic: there is no router to ask, so only the deployment ends. */
function stoppedOutcome(loop: ServiceLoop, { from }: WayBack, tookMs: number): RollbackOutcome {
  const outcome = { service: loop.name, releaseId: null, fromReleaseId: from, tookMs }
  return loop.isStopped
    ? { ...outcome, ok: true, text: `The deployment of ${from} has ended; it never had traffic` }
    : { ...outcome, ok: false, code: 'UNAVAILABLE', text: `The deployment of ${from} could not be stopped` }
}

/** Appended when traffic has moved but could be lost on a restart; the person must know. */
const notKept = '. The router cannot save this to disk: it is lost if the router restarts'

/** Accepts an answer only if all traffic is where it was to go. */
function verified(
  { service, toReleaseId }: EmergencyOrder,
  answer: Result<RouterReport>,
): Result<RouterReport> {
  if (!answer.ok) return answer
  const to = toReleaseId ?? answer.value.fallbackReleaseId
  if (to !== null && weightOf(answer.value.weights, to) === 100) return answer
  return fail(
    new AppError(
      'UNAVAILABLE',
      `The router of ${service} does not send all traffic to ${to ?? 'its fallback'}`,
    ),
  )
}
