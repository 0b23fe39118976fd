import { AppError, fail, ok, SerialQueue, type Result } from '../../../base/index.ts'
import { isEmergencyWay, type Release, type WayBack } from '../../../contract/index.ts'
import type { Counts } from '../../canary/index.ts'
import { within, type Heart } from '../../core/index.ts'
import type { RouterReport, TargetReport } from '../../platforms/index.ts'
import { changedSince, giveWay, obey, resumeCommand, whyNot, type Command, type Seen } from '../commands.ts'
import { followUps, mostEventsALook, type Facts } from '../decide.ts'
import { desiredStateOf, restingState, stoppedState, type DesiredState } from '../desired-state.ts'
import type { DeploymentEvent } from '../events.ts'
import type { ServiceRecord } from '../service-record.ts'
import type { ScaleRequest } from '../scaling.ts'
import { isGoingBack, rollback, type DeploymentState } from '../state.ts'
import { noWayBack, wayBackOf } from '../way-back.ts'
import { Actuator } from './actuator.ts'
import { beginning, foundStable } from './beginning.ts'
import { DeploymentJournal, gone } from './deployment-journal.ts'
import { Emergency, type EmergencyRequest } from './emergency.ts'
import { FailureWatch } from './failure-watch.ts'
import { Halt, type Permit } from './halt.ts'
import { HeadroomWatch } from './headroom-watch.ts'
import { InstanceCount } from './instance-count.ts'
import { Judging } from './judging.ts'
import { Observer } from './observer.ts'
import {
  answerWithinMs,
  readAgainEveryMs,
  tickMs,
  urgentTickMs,
  type PipelineParts,
  type SteeredService,
} from './parts.ts'
import { Recorder } from './recorder.ts'
import { Tasks } from './tasks.ts'
import { UndoWatch } from './undo-watch.ts'

/** A service as it is known now. */
export interface ServiceView {
  record: ServiceRecord
  open: readonly DeploymentState[]
  router: RouterReport | null
  target: TargetReport | null
  /** A sentence; empty when all is well. */
  trouble: string
  /** Why the platform refuses the service's definition: a sentence; empty when it does not. */
  refusal: string
  /** As many deployments of other services are moving as may: a queued one waits. */
  isCrowded: boolean
  /** How it can go back now; null when it cannot. */
  wayBack: WayBack | null
}

/**
 * Steers one service: looks, decides, stores, acts, each second and whenever something was asked. Everything but the
 * emergency goes through one queue, so that nothing is decided on a state that changes meanwhile.
 */
export class ServiceLoop implements Disposable {
  readonly name: string
  readonly #parts: PipelineParts
  readonly #service: SteeredService
  readonly #journal: DeploymentJournal
  readonly #observer: Observer
  readonly #actuator: Actuator
  readonly #judging: Judging
  readonly #headroom: HeadroomWatch
  readonly #failures: FailureWatch
  readonly #instances: InstanceCount
  readonly #undo: UndoWatch
  readonly #recorder: Recorder
  readonly #tasks: Tasks
  readonly #halt = new Halt()
  readonly #emergency: Emergency
  readonly #mayBegin: () => boolean
  readonly #changed: (view: ServiceView) => void
  readonly #queue = new SerialQueue()
  #wake: () => void = () => undefined
  #isLoaded = false
  /** The deployment at the head of the queue was kept waiting by those of other services. */
  #isCrowded = false
  #readAt = 0
  #captured: { deploymentId: string; baseline: Counts | null; cursor: string } | null = null

  constructor(
    parts: PipelineParts,
    service: SteeredService,
    changed: (view: ServiceView) => void,
    mayBegin: () => boolean = () => true,
  ) {
    const { name } = service.definition
    const journal = new DeploymentJournal(parts, name)
    const observer = new Observer(parts, service)
    const recorder = new Recorder(parts, name, journal, observer, () => changed(this.view))
    this.name = name
    this.#parts = parts
    this.#service = service
    this.#journal = journal
    this.#observer = observer
    this.#recorder = recorder
    this.#actuator = new Actuator(service, observer, journal)
    this.#judging = new Judging(parts, service)
    this.#headroom = new HeadroomWatch(parts)
    this.#failures = new FailureWatch(parts, service, journal, observer)
    this.#instances = new InstanceCount(journal, recorder)
    this.#undo = new UndoWatch(parts, name, journal, observer)
    this.#tasks = new Tasks(parts, (id, events) => void this.#finishTask(id, events))
    this.#emergency = new Emergency(parts, journal, observer, recorder, this.#halt)
    this.#changed = changed
    this.#mayBegin = mayBegin
  }

  get view(): ServiceView {
    const { record, open } = this.#journal
    const { router, target, trouble, refusal } = this.#observer
    return {
      record,
      open,
      router,
      target,
      trouble,
      refusal,
      isCrowded: this.#isCrowded,
      wayBack: wayBackOf(this.#undo.facts),
    }
  }

  /** Runs until aborted. */
  async run(signal: AbortSignal, heart: Heart): Promise<void> {
    try {
      while (!signal.aborted) {
        await this.tick()
        heart.beat()
        await this.#pause(signal)
      }
    } finally {
      this.#tasks[Symbol.dispose]()
    }
  }

  [Symbol.dispose](): void {
    this.#tasks[Symbol.dispose]()
  }

  /** One look, and everything that follows from it. */
  tick(): Promise<void> {
    return this.#queue.run(() => this.#tick())
  }

  /** Resolves when what the store holds of the service is known. */
  load(): Promise<Result<void>> {
    return this.#queue.run(() => this.#load())
  }

  /** A command of a person to the deployment `id`. */
  async command(id: string, command: Command): Promise<Result<void>> {
    const done = await this.#queue.run(async () => {
      const loaded = await this.#load()
      if (!loaded.ok) return loaded
      const state = this.#journal.open.find((each) => each.id === id)
      if (!state) return gone(id)
      const event = obey(state, command)
      if (!event.ok) return event
      return this.#recorder.append({
        entries: [this.#recorder.entry(state, event.value)],
        audit: [
          this.#recorder.audit(command.by, `deployments.${command.kind}`, command.why, { deploymentId: id }),
        ],
        isUrgent: event.value.kind === 'rollbackStarted',
      })
    })
    this.#wake()
    return done
  }

  /**
   * A deployment of `event.candidateReleaseId`. One under way gives way, if it is the one that `seen` names: its traffic returns first,
   * and the new one begins when it has ended. CONFLICT when another one is under way, the service is not as it was seen,
   * automation is stopped and `seen` does not resume it, or there is nothing to deploy.
   */
  async request(
    event: Omit<DeploymentEvent & { kind: 'requested' }, 'kind' | 'stableReleaseId'>,
    seen: Seen,
    releases: readonly Release[] = [],
  ): Promise<Result<void>> {
    const done = await this.#queue.run(async () => {
      const permit = this.#halt.permit()
      const loaded = await this.#load()
      if (!loaded.ok) return loaded
      const { record, open } = this.#journal
      const refused = whyNot(record, open, event.candidateReleaseId, seen)
      if (refused) {
        const help =
          record.automationStopped && !seen.resumesAutomation ? { nextCommand: resumeCommand(this.name) } : {}
        return fail(new AppError('CONFLICT', refused, { details: { revision: record.revision, ...help } }))
      }
      const deploymentId = event.id
      const isResuming = record.automationStopped !== null
      const ended = isResuming ? await this.#endEmergency(permit) : ok(undefined)
      if (!ended.ok) return ended
      return this.#recorder.append({
        entries: [
          ...open.flatMap((state) => {
            const way = giveWay(state, event.candidateReleaseId, event.by)
            return way ? [this.#recorder.entry(state, way)] : []
          }),
          {
            deploymentId,
            event: { ...event, kind: 'requested', stableReleaseId: record.stableReleaseId },
          },
        ],
        releases,
        ...(isResuming ? { record: { automationStopped: null } } : {}),
        audit: [
          ...(isResuming
            ? [this.#recorder.audit(event.by, 'services.resume', event.why, { deploymentId })]
            : []),
          this.#recorder.audit(event.by, 'deployments.request', event.why, {
            deploymentId,
            releaseId: event.candidateReleaseId,
          }),
        ],
      })
    })
    this.#wake()
    return done
  }

  /**
   * What an emergency would do, without waiting for anything; null while nothing is known here yet, then the router knows
   * where to. CONFLICT where it can do nothing, with the command that helps in `details.nextCommand`.
   */
  wayBack(): Result<WayBack | null> {
    if (!this.#isLoaded) return ok(null)
    const { facts } = this.#undo
    const way = wayBackOf(facts)
    return way && isEmergencyWay(way) ? ok(way) : fail(noWayBack(this.name, facts))
  }

  /** Whether every deployment of the service is on its way back or promoted. */
  get isStopped(): boolean {
    return this.#emergency.isStopped
  }

  /** Nothing that was under way moves traffic any more. Called before the router is told. */
  halt(request: EmergencyRequest): void {
    this.#emergency.begin(request)
  }

  /** Keeps what the router answered to the emergency, if it was asked, then tidies up; automation stays stopped. */
  async afterEmergency(request: EmergencyRequest, answer: Result<RouterReport> | null): Promise<void> {
    if (answer?.ok) this.#observer.router = answer.value
    await this.#queue.run(async () => {
      if ((await this.#load()).ok) await this.#emergency.keep(request)
    })
    this.#wake()
  }

  /** A person takes the responsibility back: the engine steers again. */
  async resumeAutomation(by: string, why: string, expectedRevision: number | null): Promise<Result<void>> {
    const done = await this.#queue.run(async () => {
      const permit = this.#halt.permit()
      const loaded = await this.#load()
      if (!loaded.ok) return loaded
      const { automationStopped, revision } = this.#journal.record
      if (!automationStopped)
        return fail(new AppError('CONFLICT', `Automation of ${this.name} is not stopped`))
      if (expectedRevision !== null && expectedRevision !== revision)
        return fail(changedSince(this.#journal.record, expectedRevision))
      const ended = await this.#endEmergency(permit)
      if (!ended.ok) return ended
      return this.#recorder.append({
        record: { automationStopped: null },
        audit: [this.#recorder.audit(by, 'services.resume', why, {})],
      })
    })
    this.#wake()
    return done
  }

  /** The router lets the engine split traffic again; its weights stay as they are. CONFLICT where an emergency came meanwhile. */
  async #endEmergency(permit: Permit): Promise<Result<void>> {
    const router = await this.#observer.ask('router', () => this.#service.router.read(this.name))
    if (!router.ok) return router
    if (router.value.emergency) {
      const { weights, fallbackReleaseId, revision } = router.value
      const ended = await permit.call(() =>
        this.#observer.ask('router', () =>
          this.#service.router.set({
            service: this.name,
            weights,
            fallbackReleaseId,
            expectedRevision: revision,
            key: `${this.name}:resume:${revision}`,
            endsEmergency: true,
          }),
        ),
      )
      if (ended === null || permit.isRevoked)
        return fail(new AppError('CONFLICT', `An emergency rollback of ${this.name} was made meanwhile`))
      if (!ended.ok) return ended
      this.#observer.router = ended.value
    }
    return ok(undefined)
  }

  /** What its configuration declares now, as far as it was told or stored; null where it was neither. */
  get declaredInstances(): number | null {
    return this.#instances.declared
  }

  /** The number of instances that its configuration declares, told to each new loop and whenever it changes. */
  declareInstances(request: ScaleRequest): void {
    this.#instances.declare(request)
    this.#wake()
  }

  async #tick(): Promise<void> {
    const permit = this.#halt.permit()
    this.#recorder.measureTime()
    if (!(await this.#load()).ok) return
    const isAllowed = await permit.through([
      () => this.#observer.look(this.#journal.active?.candidateReleaseId ?? null),
      () => this.#failures.watch(),
      () => this.#emergency.notice(),
      () => this.#judge(),
      () => this.#instances.keep(),
      () => this.#instances.scale(),
      () => this.#converge(permit),
      () => this.#tasks.attend(this.#journal.active),
      () => this.#recorder.storeTime(),
      () => this.#undo.look(),
    ])
    if (!isAllowed) return
    this.#recorder.noteStore()
    this.#changed(this.view)
  }

  /** Decides and acts until nothing follows from what was seen any more. */
  async #converge(permit: Permit): Promise<void> {
    let isOver = false
    for (let round = 0; round < mostEventsALook && !isOver && !permit.isRevoked; round++) {
      let moved: Result<boolean> = ok(false)
      await permit.through([
        () => this.#captureBaseline(),
        () => this.#failures.explain(),
        async () => (moved = await this.#decide()),
        async () => {
          // A decision that could not be kept is made again; meanwhile nothing is done toward the desired state it would have ended.
          const desired = moved.ok ? this.#desiredState() : null
          const isChanged = desired !== null && (await this.#actuator.act(desired, permit))
          isOver = !isChanged && !(moved.ok && moved.value)
        },
      ])
    }
  }

  async #load(): Promise<Result<void>> {
    if (this.#isLoaded) {
      await this.#journal.settle()
      await this.#readAgain()
      return ok(undefined)
    }
    const loaded = await this.#journal.load()
    if (loaded.ok) {
      const releases = await within(this.#parts.clock, answerWithinMs, 'the state database', () =>
        this.#parts.stores.releases.newest(this.name, 1000),
      )
      if (!releases.ok) return releases
      this.#recorder.learn(releases.value.map(({ id }) => id))
      this.#isLoaded = true
      this.#readAt = this.#parts.clock.monotonicMs()
      this.#recorder.forgetTime()
    }
    this.#observer.note('store', loaded.ok ? '' : loaded.error.message)
    return loaded
  }

  /** A write may arrive long after it was given up: at rest, what is stored is looked at again now and then. */
  async #readAgain(): Promise<void> {
    const now = this.#parts.clock.monotonicMs()
    const { active, isSettled } = this.#journal
    if (active !== null || !isSettled || now - this.#readAt < readAgainEveryMs) return
    this.#readAt = now
    await this.#journal.load()
  }

  async #judge(): Promise<void> {
    const active = this.#journal.active
    if (!active || isGoingBack(active)) return
    const aged = this.#recorder.aged(active)
    const due = this.#judging.due(aged)
    if (due === null) return
    const judged = await this.#judging.judge(aged, this.#journal.evidenceOf(active.id), {
      ...due,
      instanceTrouble: this.#failures.latestReason,
    })
    if (!judged) return
    const { judgement, bins, memory, cursor } = judged
    const kept = await this.#recorder.append({
      entries: judgement ? [this.#recorder.entry(active, { kind: 'judged', judgement })] : [],
      evidence: { deploymentId: active.id, bins, memory, cursor },
    })
    if (kept.ok || judgement?.decision !== 'rollback' || active.plan.onFailure !== 'rollback') return
    // A bad judgement is acted upon whether or not it could be kept.
    const current = this.#journal.open.find(({ id }) => id === active.id)
    if (!current || isGoingBack(current)) return
    const event = rollback(judgement.text)
    await this.#recorder.append({
      entries: [this.#recorder.entry(current, event)],
      audit: this.#recorder.auditOf(current, [event]),
      isUrgent: true,
    })
  }

  async #captureBaseline(): Promise<void> {
    const active = this.#journal.active
    if (active?.stage.kind !== 'validating' || !active.validation?.canDeploy) return
    if (this.#captured?.deploymentId === active.id || active.pendingHooks.length > 0) return
    const captured = await this.#judging.baseline(active.stableReleaseId)
    if (captured) this.#captured = { deploymentId: active.id, ...captured }
  }

  /** Everything that follows from what was seen, in one transaction. Gives whether anything did; fails when it is not kept. */
  async #decide(): Promise<Result<boolean>> {
    const begun = await this.#begin()
    const { active, record } = this.#journal
    if (!active) return ok(begun)
    const captured = this.#captured?.deploymentId === active.id ? this.#captured : null
    const failure = this.#failures.explanationOf(active)
    const facts: Facts = {
      router: this.#observer.router,
      target: this.#observer.target,
      deadForMs: this.#observer.deadForMs,
      steadyForMs: this.#observer.steadyForMs,
      missingRoom: this.#headroom.missing(active.plan),
      ...(captured ? { baseline: captured.baseline } : {}),
      ...(failure ? { failure } : {}),
    }
    const events = followUps(this.#recorder.aged(active), record, facts)
    if (events.length === 0) return ok(begun)
    const isCaptured = events.some(({ kind }) => kind === 'baselineCaptured')
    const isRollback = events.some(({ kind }) => kind === 'rollbackStarted')
    const appended = await this.#recorder.append({
      entries: this.#recorder.entries(active, events),
      ...(isCaptured && captured
        ? { evidence: { deploymentId: active.id, bins: [], memory: null, cursor: captured.cursor } }
        : {}),
      audit: this.#recorder.auditOf(active, events),
      isUrgent: isRollback || isGoingBack(active),
    })
    if (appended.ok && events.some(({ kind }) => kind === 'failureExplained')) this.#failures.forget()
    return appended.ok ? ok(true) : appended
  }

  /** The next deployment in the queue moves when none does. */
  async #begin(): Promise<boolean> {
    const { active, record } = this.#journal
    if (active?.stage.kind !== 'queued' || record.automationStopped) return false
    const { router, target } = this.#observer
    if (router === null || target === null) return false
    this.#isCrowded = !this.#mayBegin()
    if (this.#isCrowded) return false
    const newest = await this.#newestId()
    if (newest === null) return false
    const adopted = record.stableReleaseId === null ? foundStable(router, target) : null
    const event = beginning(active, adopted ?? record, newest)
    if (!event) return false
    this.#recorder.forgetTime()
    const begun = await this.#recorder.append({
      entries: [this.#recorder.entry(active, event)],
      audit: this.#recorder.auditOf(active, [event]),
      ...(adopted ? { record: adopted } : {}),
    })
    return begun.ok
  }

  /** Of the deployment of this service that was asked for last; null when the store does not tell. */
  async #newestId(): Promise<string | null> {
    const found = await within(this.#parts.clock, answerWithinMs, 'the state database', () =>
      this.#parts.stores.deployments.list({ service: this.name, limit: 1 }),
    )
    return found.ok ? (found.value[0]?.id ?? null) : null
  }

  #desiredState(): DesiredState | null {
    const { active, record } = this.#journal
    const isAtRest = !active || ['queued', 'validating', 'telling'].includes(active.stage.kind)
    if (isAtRest) {
      if (record.stableReleaseId === null) return null
      if (record.automationStopped) return stoppedState(record, this.#observer.router)
      return restingState(record, this.#orphans(record, active))
    }
    return desiredStateOf(active, record, this.#observer.target)
  }

  /** What a lost call has left running: known releases that nothing needs. */
  #orphans({ stableReleaseId }: ServiceRecord, active: DeploymentState | null): string[] {
    const running = Object.keys(this.#observer.target?.wanted ?? {})
    const needed = new Set([stableReleaseId, active?.candidateReleaseId])
    const orphans = running.filter((releaseId) => !needed.has(releaseId))
    const unknown = orphans.filter((releaseId) => !this.#recorder.isKnown(releaseId))
    this.#observer.note(
      'orphans',
      unknown.length > 0 ? `${unknown.join(', ')} runs although no deployment here has started it` : '',
    )
    return orphans.filter((releaseId) => this.#recorder.isKnown(releaseId))
  }

  async #finishTask(deploymentId: string, events: readonly DeploymentEvent[]): Promise<void> {
    const kept = await this.#queue.run(async () => {
      const state = this.#journal.open.find(({ id }) => id === deploymentId)
      const isStillWanted = events.some(
        (event) =>
          (event.kind === 'validated' && state?.stage.kind === 'validating' && !state.validation) ||
          (event.kind === 'hookEnded' && state?.pendingHooks.some(({ key }) => key === event.key)),
      )
      if (!state || !isStillWanted) return ok(undefined)
      return this.#recorder.append({
        entries: this.#recorder.entries(state, events),
        audit: this.#recorder.auditOf(state, events),
        isUrgent: events.some(({ kind }) => kind === 'rollbackStarted'),
      })
    })
    // What could not be kept is told again at the next look, not at once.
    if (kept.ok) this.#wake()
  }

  /** Until the next look is due, something was asked, or the loop is aborted. */
  async #pause(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    const stage = this.#journal.active?.stage.kind
    const isUrgent = stage === 'returning' || stage === 'handing_over'
    const { promise: over, resolve } = Promise.withResolvers<void>()
    const wake = () => resolve()
    this.#wake = wake
    signal.addEventListener('abort', wake, { once: true })
    using _timer = this.#parts.clock.after(isUrgent ? urgentTickMs : tickMs, wake)
    await over
    signal.removeEventListener('abort', wake)
  }
}
