import { ok, seededRng, silentLog, type Result } from '../../../src/base/index.ts'
import {
  configurationActor,
  serviceDefinitionSchema,
  weightOf,
  type CheckResult,
  type Release,
  type Weights,
} from '../../../src/contract/index.ts'
import { findBreak } from '../../../src/engine/audit/index.ts'
import { thresholdJudge, type Judge } from '../../../src/engine/canary/index.ts'
import {
  DeploymentController,
  hasEnded,
  isGoingBack,
  replay,
  type DeploymentState,
  type HookContext,
  type PipelineParts,
  type StoredEvent,
} from '../../../src/engine/deployments/index.ts'
import { Faults } from './faults.ts'
import { LifeClock, SimClock } from './sim-clock.ts'
import { SimRouter } from './sim-router.ts'
import { SimStore } from './sim-store.ts'
import { SimTarget, type Behaviour } from './sim-target.ts'
import { person } from '../../support/person.ts'

/** The one service of a simulated world. */
export const serviceName = 'shop'

export const release = (id: string): Release => ({
  service: serviceName,
  id,
  artifact: { kind: 'command', argv: ['serve', id], env: {} },
  parameters: {},
  note: '',
  createdAtMs: 0,
  createdBy: person('anna'),
})

/** Replays of events, kept as far as they went: the checks look at every change. */
class Replays {
  readonly #store: SimStore
  constructor(store: SimStore) {
    this.#store = store
  }

  open(): DeploymentState[] {
    return this.#store
      .open()
      .map(({ events }) => replay(events))
      .filter((state) => !hasEnded(state))
  }
}

/**
 * Router, target and store that outlive engines, an engine that may be killed, and eyes on what must never happen: those throw out
 * of `advance` by way of `broken`.
 */
export class World {
  readonly clock = new SimClock()
  readonly target = new SimTarget()
  readonly router = new SimRouter(this.clock, this.target)
  readonly store = new SimStore()
  readonly faults = new Faults(this.clock)
  /** What must never happen and did. */
  readonly broken: string[] = []
  judge: Judge = thresholdJudge
  /** Outcome and length of the checks, and whether hooks succeed. */
  checksPass = true
  checksTakeMs = 1000
  /** What of the hosts is too full, for plans that look. */
  missingRoom = ''
  hooksTakeMs = 500
  hookFails: (name: string) => boolean = () => false
  readonly hookRuns: string[] = []
  readonly hookContexts: HookContext[] = []
  controller: DeploymentController | null = null
  /** What `declare` was told last. */
  declared: number | null = null
  readonly #living = new Set<LifeClock>()
  #lives = 0
  readonly #replays = new Replays(this.store)

  constructor() {
    this.faults.kill = () => this.kill()
    this.clock.every(1000, () => {
      this.target.second()
      this.router.second()
    })
    this.router.onChange = ({ weights }) => this.#watchRouter(weights)
    this.router.onSend = ({ weights }) => this.#watchOrder(weights)
    this.store.onEvent = (event) => this.#watchEvent(event)
    this.target.onRemove = (releaseId) => this.#watchRemoval(releaseId)
  }

  /** r1 is stable with all traffic, as a deployment of before has left it; others are known. */
  async withStable(instances = 2, others = ['r2', 'r3', 'r4']): Promise<this> {
    for (const id of ['r1', ...others]) this.store.releases.set(id, release(id))
    this.store.services.set(serviceName, {
      name: serviceName,
      stableReleaseId: 'r1',
      instances,
      automationStopped: null,
      scaling: null,
      endedEmergencyKey: null,
      revision: 1,
    })
    this.target.ensure({ service: serviceName, release: release('r1'), instances, key: 'before' })
    await this.clock.advance(5000)
    const set = this.router.set({
      service: serviceName,
      weights: { r1: 100 },
      fallbackReleaseId: 'r1',
      expectedRevision: 0,
      key: 'before',
      endsEmergency: false,
    })
    if (!set.ok) throw set.error
    await this.clock.advance(30_000)
    return this
  }

  behave(releaseId: string, behaviour: Partial<Behaviour>): void {
    this.target.behaviours.set(releaseId, { ...this.target.behaviour(releaseId), ...behaviour })
  }

  /** A new engine on the same store, as after a kill. */
  start(): DeploymentController {
    this.kill()
    return this.startBeside()
  }

  /** An engine beside the one that runs: somebody has started a second one. */
  startBeside(): DeploymentController {
    const clock = new LifeClock(this.clock)
    const wire = this.faults.wire(() => this.#living.has(clock))
    const current = () => this.judge
    const parts: PipelineParts = {
      clock,
      rng: seededRng(++this.#lives),
      log: silentLog,
      stores: this.store.behind(wire),
      judge: {
        get name() {
          return current().name
        },
        get version() {
          return current().version
        },
        evaluate: async (request) => {
          const reply = await current().evaluate(request)
          return wire.call('judge', 'judge.evaluate', () => reply)
        },
      },
      validator: {
        validate: async () => {
          await new Promise<void>((resolve) => clock.after(this.checksTakeMs, resolve))
          return wire.call('validator', 'validator.validate', () => ok(this.#validation()))
        },
      },
      hooks: {
        run: async (hook, context) => {
          await new Promise<void>((resolve) => clock.after(this.hooksTakeMs, resolve))
          return wire.call('hooks', `hooks.run ${hook.name}`, () => {
            this.hookContexts.push(context)
            this.hookRuns.push(`${hook.name} ${context.stepIndex ?? ''}`.trim())
            return ok({ isSuccess: !this.hookFails(hook.name), text: 'exit code 0', output: '' })
          })
        },
      },
      room: ({ maxCpuRatio }) => (maxCpuRatio === null ? '' : this.missingRoom),
    }
    const definition = serviceDefinitionSchema.parse({
      name: serviceName,
      listen: {},
      routing: { balancing: 'round_robin' },
      health: { path: '/', intervalMs: 1000, timeoutMs: 1000, rise: 1, fall: 1, restartAfterMs: null },
      drainMs: 1000,
      graceMs: 1000,
    })
    const target = this.target.behind(wire)
    const router = this.router.behind(wire)
    const controller = new DeploymentController(parts, [{ definition, target, router }], {
      mostAtOnce: 10,
      changed: () => undefined,
    })
    this.#living.add(clock)
    this.controller = controller
    if (this.declared !== null) this.declare(this.declared)
    for (const loop of controller.loops)
      void loop.run(new AbortController().signal, { beat: () => undefined }).catch((thrown: unknown) => {
        this.broken.push(`a loop threw: ${thrown instanceof Error ? thrown.stack : String(thrown)}`)
      })
    return controller
  }

  /** `deploy.instances` as the configuration has it from now on: what each engine is told, also one that starts later. */
  declare(instances: number): void {
    this.declared = instances
    this.controller?.declareInstances(serviceName, { instances, by: configurationActor, why: 'changed' })
  }

  /** kill -9: nothing of the engine runs any more; what it has sent is on its way. */
  kill(): void {
    for (const life of this.#living) life.kill()
    this.#living.clear()
    this.controller = null
  }

  get isAlive(): boolean {
    return this.controller !== null
  }

  async advance(seconds: number): Promise<void> {
    await this.clock.advance(seconds * 1000)
    if (this.broken.length > 0) throw new Error(this.broken.join('\n'))
  }

  /** Goes on until `isSo`, for at most `seconds`; throws when that is not enough. */
  async until(isSo: () => boolean, seconds = 600, what = 'it'): Promise<void> {
    for (let waited = 0; !isSo(); waited++) {
      if (waited >= seconds)
        throw new Error(`${what} did not come true within ${seconds} s\n${this.describe()}`)
      await this.advance(1)
    }
  }

  weight(releaseId: string): number {
    return weightOf(this.router.report.weights, releaseId)
  }

  /** Of the newest deployment. */
  get newest(): DeploymentState {
    const events = [...this.store.events.values()].at(-1)
    if (!events) throw new Error('nothing was deployed')
    return replay(events)
  }

  get record() {
    const record = this.store.services.get(serviceName)
    if (!record) throw new Error('the service has no record')
    return record
  }

  /** What is wrong although nothing moves any more; empty when all is as it must be. */
  unrest(): string[] {
    const { stableReleaseId, instances, scaling } = this.record
    const wrong: string[] = []
    if (this.store.open().length > 0) wrong.push(`${this.store.open().length} deployments are open`)
    const { weights, fallbackReleaseId } = this.router.report
    const routed = Object.entries(weights).filter(([, weight]) => weight > 0)
    if (routed.length !== 1 || routed[0]?.[0] !== stableReleaseId || routed[0][1] !== 100)
      wrong.push(`the router sends ${JSON.stringify(weights)}, ${stableReleaseId} is stable`)
    if (fallbackReleaseId !== stableReleaseId) wrong.push(`the router falls back to ${fallbackReleaseId}`)
    const { wanted, instances: running } = this.target.report()
    if (JSON.stringify(wanted) !== JSON.stringify({ [stableReleaseId ?? '']: instances }))
      wrong.push(`the target runs ${JSON.stringify(wanted)}, ${stableReleaseId} x ${instances} is stable`)
    const others = running.filter(({ releaseId }) => releaseId !== stableReleaseId)
    if (others.length > 0) wrong.push(`forgotten: ${others.map(({ id }) => id).join(', ')}`)
    const promoted = [...this.store.deployments.values()].filter(({ phase }) => phase === 'promoted').at(-1)
    if (stableReleaseId !== (promoted?.candidateReleaseId ?? 'r1'))
      wrong.push(`${stableReleaseId} is stable, ${promoted?.candidateReleaseId ?? 'r1'} was promoted last`)
    if (scaling?.pending) wrong.push(`${scaling.instances} instances are declared and not there`)
    if (wrong.length > 0) return wrong
    const hole = findBreak(this.store.audit)
    return hole ? [`the audit chain is broken: ${hole.text}`] : []
  }

  describe(): string {
    const deployments = [...this.store.deployments.values()].map(
      ({ id, candidateReleaseId, phase, reason, log }) =>
        `${id} ${candidateReleaseId} ${phase}: ${reason}\n${log.map(({ text }) => `    ${text}`).join('\n')}`,
    )
    return [
      `record ${JSON.stringify(this.store.services.get(serviceName))}`,
      `router ${JSON.stringify(this.router.report)}`,
      `target ${JSON.stringify(this.target.report().wanted)}`,
      `trouble ${this.controller?.views[0]?.trouble ?? 'no engine'}`,
      ...deployments,
    ].join('\n')
  }

  /** One deployment moves, and all traffic goes somewhere. */
  #watchRouter(weights: Weights): void {
    const moving = this.#replays
      .open()
      .filter(({ stage }) => stage.kind !== 'queued' && stage.kind !== 'telling')
    if (moving.length > 1) this.broken.push(`${moving.length} deployments move at once`)
    const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0)
    if (total !== 100) this.broken.push(`the weights are ${JSON.stringify(weights)}, ${total} in all`)
  }

  /** Traffic is ordered to a candidate only as the store says that it shall be, and never on its way back. */
  #watchOrder(weights: Weights): void {
    const [state] = this.#replays
      .open()
      .filter(({ stage }) => stage.kind !== 'queued' && stage.kind !== 'telling')
    if (!state) return
    const { candidateReleaseId: candidate, hasHadTraffic } = state
    const isRaised = (weights[candidate] ?? 0) > this.weight(candidate)
    if (isRaised && !hasHadTraffic) this.broken.push(`${candidate} gets traffic and no event says so`)
    // What a restarted router has lost is given back.
    if (state.missingRoom !== '' && (weights[candidate] ?? 0) > state.weight)
      this.broken.push(`${candidate} gets more though it waits for room`)
    if (isRaised && isGoingBack(state)) this.broken.push(`${candidate} gets more traffic on its way back`)
  }

  /** What an event says of the router must be so. */
  #watchEvent({ deploymentId, event }: StoredEvent): void {
    const first = this.store.events.get(deploymentId)?.[0]?.event
    if (first?.kind !== 'requested') return
    // What a restarted router has forgotten since it was seen is no lie.
    if (this.router.report.key === '') return
    const weight = this.weight(first.candidateReleaseId)
    if (event.kind === 'trafficReturned' && weight !== 0)
      this.broken.push(
        `${first.candidateReleaseId} has ${weight} % though its traffic is said to have returned`,
      )
    if (event.kind === 'handedOver' && weight !== 100 && !this.router.report.emergency)
      this.broken.push(`${first.candidateReleaseId} has ${weight} % though it is said to have all traffic`)
  }

  #watchRemoval(releaseId: string): void {
    if (this.weight(releaseId) > 0) this.broken.push(`${releaseId} is removed while it has traffic`)
    if (this.router.report.fallbackReleaseId === releaseId)
      this.broken.push(`${releaseId} is removed while an emergency would send all traffic to it`)
  }

  #validation() {
    const passed: CheckResult = {
      name: 'artifact',
      critical: true,
      outcome: this.checksPass ? 'passed' : 'failed',
      text: '',
      output: '',
      durationMs: 1,
      attempts: 1,
    }
    return {
      canDeploy: this.checksPass,
      results: [passed],
      passed: this.checksPass ? 1 : 0,
      failed: this.checksPass ? 0 : 1,
      warnings: 0,
      durationMs: 1,
    }
  }
}

/** The value, or the failure thrown: for steps of a test that must work. */
export function must<T>(result: Result<T>): T {
  if (!result.ok) throw result.error
  return result.value
}
