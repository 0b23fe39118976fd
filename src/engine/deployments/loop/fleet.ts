import type { Deployment, Plan, PlanOptions, Release, RollbackOutcome } from '../../../contract/index.ts'
import { AppError, fail, ok, within, type Loop, type Result } from '../../core/index.ts'
import type { EmergencyOrder, Router, RouterReport } from '../../services/index.ts'
import { changedSince, type Command, type Seen } from '../commands.ts'
import { buildPlan, straightPlan } from '../plan.ts'
import { hasEnded } from '../state.ts'
import { answerWithinMs, type PipelineParts, type SteeredService } from './parts.ts'
import { ServiceLoop, type EmergencyRequest, type ServiceView } from './service-loop.ts'

export interface DeployRequest extends Seen {
  service: string
  releaseId: string
  /** Of environment, service and this deployment, in rising precedence. */
  options: readonly PlanOptions[]
  by: string
  why: string
}

export interface FleetOptions {
  /** Deployments that may move at the same time, over all services. */
  mostAtOnce: number
  changed: (view: ServiceView) => void
}

/** All services that are steered, and all that a person can ask of their deployments. */
export class Fleet implements Disposable {
  readonly #parts: PipelineParts
  readonly #options: FleetOptions
  readonly #services = new Map<string, { loop: ServiceLoop; service: SteeredService }>()

  constructor(parts: PipelineParts, services: readonly SteeredService[], options: FleetOptions) {
    this.#parts = parts
    this.#options = options
    for (const service of services) this.add(service)
  }

  /** Steers one more service, by the loop that is returned; in the place of the one of this name, if there is one. */
  add(service: SteeredService): Loop {
    const { name } = service.definition
    const { changed, mostAtOnce } = this.#options
    this.remove(name)
    const loop = new ServiceLoop(this.#parts, service, changed, () => this.#movingCount() < mostAtOnce)
    this.#services.set(name, { loop, service })
    return loopOf(loop)
  }

  /** Steers a service no longer; its loop must have ended. What runs of it stays as it is. */
  remove(name: string): void {
    this.#services.get(name)?.loop[Symbol.dispose]()
    this.#services.delete(name)
  }

  /** One for each service, for the supervisor. */
  get loops(): Loop[] {
    return [...this.#services.values()].map(({ loop }) => loopOf(loop))
  }

  get views(): ServiceView[] {
    return [...this.#services.values()].map(({ loop }) => loop.view)
  }

  [Symbol.dispose](): void {
    for (const { loop } of this.#services.values()) loop[Symbol.dispose]()
  }

  /** Begins a deployment and gives its id. BAD_INPUT for a plan that cannot work, NOT_FOUND, CONFLICT. */
  async deploy(request: DeployRequest): Promise<Result<string>> {
    const plan = await this.plan(request.service, request.options)
    return plan.ok ? this.#start(request, plan.value, '') : plan
  }

  /**
   * The plan that options come to. The first release of a service has nothing to be compared with: unless its own
   * options, the last, say otherwise it gets all traffic as soon as it is healthy.
   */
  async plan(service: string, options: readonly PlanOptions[]): Promise<Result<Plan>> {
    const plan = buildPlan(...options)
    const found = this.#find(service)
    if (!plan.ok || !found.ok) return plan
    const { loop } = found.value
    const loaded = await loop.load()
    if (!loaded.ok) return loaded
    // Nothing is known of a service that was not looked at yet: its router may have traffic that is to be compared with.
    if (loop.view.record.stableReleaseId === null && loop.view.router === null) await loop.tick()
    const { record, router } = loop.view
    const isFirst = record.stableReleaseId === null && router !== null && !hasTraffic(router)
    return isFirst && !namesSteps(options.at(-1) ?? {}) ? ok(straightPlan(plan.value)) : plan
  }

  /** The same once more, from the start, with clean counters. Only of one that was rolled back or failed. */
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
          `${deploymentId} is ${phase}: only what was rolled back or failed can be retried`,
        ),
      )
    return this.#start({ ...asked, service, releaseId }, plan, deploymentId)
  }

  /**
   * Back to a release of before; without a name, the one that was stable before the newest promotion. While that one is still
   * warm its traffic returns at once; else it is started, and gets the traffic when it is healthy. NOT_FOUND, before
   * anything moves, where the release is not known any more.
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
    const promoted = await this.#ask(() =>
      this.#parts.store.deployments({ service, phases: ['promoted'], limit: 1 }),
    )
    if (!promoted.ok) return promoted
    const active = found.value.loop.view.open[0]
    const warm = active?.stage.kind === 'warm' ? active : null
    const last = promoted.value[0]
    const releaseId = request.releaseId ?? (warm ?? last)?.stableReleaseId
    if (!releaseId) return fail(new AppError('NOT_FOUND', `${service} has no release to go back to`))
    if (warm?.stableReleaseId === releaseId) {
      const aborted = await found.value.loop.command(warm.id, {
        kind: 'abort',
        by,
        why,
        expectedRevision: null,
      })
      return aborted.ok ? ok(warm.id) : aborted
    }
    const plan = last?.plan ?? (warm ?? active)?.plan
    const usual = plan ? ok(plan) : buildPlan()
    if (!usual.ok) return usual
    return this.#start({ ...request, releaseId }, { ...straightPlan(usual.value), isUndo: true }, '')
  }

  async command(deploymentId: string, command: Command): Promise<Result<void>> {
    const owner = [...this.#services.values()].find(({ loop }) =>
      loop.view.open.some(({ id }) => id === deploymentId),
    )
    if (owner) return owner.loop.command(deploymentId, command)
    const kept = await this.#deployment(deploymentId)
    if (!kept.ok) return kept
    const { service, phase, endedAtMs } = kept.value
    if (endedAtMs !== null)
      return fail(new AppError('CONFLICT', `${deploymentId} has ended: ${phase.replace('_', ' ')}`))
    // An engine that has only just started has not read it yet.
    const found = this.#find(service)
    return found.ok ? found.value.loop.command(deploymentId, command) : found
  }

  /**
   * Traffic of every candidate away at once, of the named services or of all that have one: routers first, in parallel,
   * nothing read or written before. What follows (the record of it, draining, stopping) is not waited for.
   */
  async emergency(services: readonly string[] | 'all', by: string, why: string): Promise<RollbackOutcome[]> {
    const request: EmergencyRequest = { by, why, key: `emergency:${this.#parts.rng.hex(8)}` }
    const startedAt = this.#parts.clock.monotonicMs()
    const names = services === 'all' ? [...this.#services.keys()] : [...new Set(services)]
    const outcomes = new Map<string, RollbackOutcome>()
    const note = (service: string, from: string | null, answer: Result<RouterReport>) => {
      const tookMs = this.#parts.clock.monotonicMs() - startedAt
      outcomes.set(service, outcomeOf(service, from, answer, tookMs))
    }
    const orders = new Map<Router, Ordered[]>()
    for (const name of names) {
      const found = this.#find(name)
      const way = found.ok ? found.value.loop.wayBack() : found
      if (!found.ok || !way.ok) {
        if (services !== 'all') note(name, null, way.ok ? this.#missing(name) : way)
        continue
      }
      const { loop, service } = found.value
      loop.halt(request)
      const { from, to } = way.value
      const order = {
        service: name,
        key: `${name}:${request.key}`,
        ...(to === null ? {} : { toReleaseId: to }),
      }
      orders.set(service.router, [...(orders.get(service.router) ?? []), { order, loop, from }])
    }
    await Promise.all(
      [...orders].map(async ([router, each]) => {
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
    )
    return names.flatMap((name) => outcomes.get(name) ?? [])
  }

  async resumeAutomation(
    service: string,
    by: string,
    why: string,
    expectedRevision: number | null = null,
  ): Promise<Result<void>> {
    const found = this.#find(service)
    return found.ok ? found.value.loop.resumeAutomation(by, why, expectedRevision) : found
  }

  /** Keeps a release, so that it can be deployed. CONFLICT where another one has its name: releases never change. */
  async addRelease(release: Release): Promise<Result<void>> {
    const found = this.#find(release.service)
    if (!found.ok) return found
    return this.#ask(() =>
      this.#parts.store.commit({
        events: [],
        deployments: [],
        services: [],
        releases: [release],
        evidence: [],
        audit: [
          {
            atMs: this.#parts.clock.nowMs(),
            actor: release.createdBy,
            action: 'releases.add',
            target: release.service,
            why: release.note,
            details: { releaseId: release.id },
          },
        ],
      }),
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
    const release = await this.#ask(() => this.#parts.store.release(service, releaseId))
    if (!release.ok) return release
    const id = `d-${this.#parts.clock.nowMs().toString(36)}-${this.#parts.rng.hex(4)}`
    const asked = await found.value.loop.request(
      { id, service, candidateReleaseId: releaseId, plan, by, why, retryOf },
      request,
    )
    return asked.ok ? ok(id) : asked
  }

  #find(name: string): Result<{ loop: ServiceLoop; service: SteeredService }> {
    const found = this.#services.get(name)
    return found ? ok(found) : this.#missing(name)
  }

  #missing(name: string): Result<never> {
    return fail(new AppError('NOT_FOUND', `There is no service ${name}`))
  }

  #deployment(id: string): Promise<Result<Deployment>> {
    return this.#ask(() => this.#parts.store.deployment(id))
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

const hasTraffic = (router: RouterReport): boolean =>
  Object.values(router.weights).some((weight) => weight > 0)

const namesSteps = ({ preset, steps, weight, holdMs }: PlanOptions): boolean =>
  [preset, steps, weight, holdMs].some((option) => option !== undefined)

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
    ? `All traffic of ${service} goes to ${to ?? 'nothing'}, verified${answer.value.isKept === false ? notKept : ''}`
    : answer.error.message
  return { service, ok: answer.ok, releaseId: to, fromReleaseId: from, tookMs, text }
}

/** Traffic has moved; whoever pressed the button must know what could undo it. */
const notKept = '. The router cannot write it to its disk: it holds until the router restarts'

/** An answer counts only when all traffic is where it was to go. */
function verified(
  { service, toReleaseId }: EmergencyOrder,
  answer: Result<RouterReport>,
): Result<RouterReport> {
  if (!answer.ok) return answer
  const to = toReleaseId ?? answer.value.fallbackReleaseId
  if (to !== null && answer.value.weights[to] === 100) return answer
  return fail(
    new AppError(
      'UNAVAILABLE',
      `The router of ${service} does not send all traffic to ${to ?? 'its fallback'}`,
    ),
  )
}
