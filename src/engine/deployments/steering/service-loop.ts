import { AppError, fail, ok, SerialQueue, type Result } from '../../../base/index.ts'
import { type Actor, isEmergencyWay, type Release, type WayBack } from '../../../contract/index.ts'
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

/** The known state of a service. */
export interface ServiceView {
  record: ServiceRecord
  open: readonly DeploymentState[]
  router: RouterReport | null
  target: TargetReport | null
  /** The trouble, as a sentence; empty when there is none. */
  trouble: string
  /** Why the platform refuses the service's definition, as a sentence; empty when it does not. */
  refusal: string
  /** Whether the most deployments allowed are moving, so that a queued one waits. */
  isCrowded: boolean
  /** How the service can go back now; null when it cannot. */
  wayBack: WayBack | null
}

/**
 * Steers one service: observes, decides, stores and acts, every second and whenever something was requested.
 * Everything but an emergency goes through one queue, so no decision is based on a state that changes meanwhile.
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
  /** Whether the deployment at the head of the queue waited for those of other services. */
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

  /** One observation and everything that follows from it. */
  tick(): Promise<void> {
    return this.#queue.run(() => this.#tick())
  }

  /** Resolves once the stored state of the service is known. */
  load(): Promise<Result<void>> {
    return this.#queue.run(() => this.#load())
  }

  /** Applies a person's command to the deployment `id`. */
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
   * Requests a deployment of `event.candidateReleaseId`. If `seen.supersedes` names the deployment in progress, that
   * one is rolled back first, and the new one starts once it has ended. CONFLICT when another one is in progress, the
   * service has changed since it was seen, automation is stopped and `seen` does not resume it, or there is nothing to
   * deploy.
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
      const resumed = record.automationStopped === null ? ok(null) : await this.#resumedRecord(permit)
      if (!resumed.ok) return resumed
      const isResuming = resumed.value !== null
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
        ...(resumed.value ? { record: resumed.value } : {}),
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
   * What an emergency rollback would do, without waiting for anything; null while nothing is known here yet, in which
   * case the router knows the target. CONFLICT when it can do nothing, with the command that helps in
   * `details.nextCommand`.
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

  /** Stops everything in progress from moving traffic. Call it before the router is told. */
  halt(request: EmergencyRequest): void {
    this.#emergency.begin(request)
  }

  /** Stores the router's answer to the emergency, if it was asked, then cleans up; automation stays stopped. */
  async afterEmergency(request: EmergencyRequest, answer: Result<RouterReport> | null): Promise<void> {
    if (answer?.ok) this.#observer.router = answer.value
    await this.#queue.run(async () => {
      if ((await this.#load()).ok) await this.#emergency.keep(request)
    })
    this.#wake()
  }

  /** Resumes automation on a person's order. */
  async resumeAutomation(by: Actor, why: string, expectedRevision: number | null): Promise<Result<void>> {
    const done = await this.#queue.run(async () => {
      const permit = this.#halt.permit()
      const loaded = await this.#load()
      if (!loaded.ok) return loaded
      const { automationStopped, revision } = this.#journal.record
      if (!automationStopped)
        return fail(new AppError('CONFLICT', `Automation of ${this.name} is not stopped`))
      if (expectedRevision !== null && expectedRevision !== revision)
        return fail(changedSince(this.#journal.record, expectedRevision))
      const resumed = await this.#resumedRecord(permit)
      if (!resumed.ok) return resumed
      return this.#recorder.append({
        record: resumed.value,
        audit: [this.#recorder.audit(by, 'services.resume', why, {})],
      })
    })
    this.#wake()
    return done
  }

  /**
   * What is stored of an order to resume, before the router is told. Fails when the router does not answer, and with
   * CONFLICT when an emergency came meanwhile.
   */
  async #resumedRecord(permit: Permit): Promise<Result<Partial<ServiceRecord>>> {
    const router = await this.#observer.ask('router', () => this.#service.router.read(this.name))
    if (!router.ok) return router
    if (permit.isRevoked)
      return fail(new AppError('CONFLICT', `An emergency rollback of ${this.name} happened in the meantime`))
    this.#observer.router = router.value
    return ok({ automationStopped: null, endedEmergencyKey: router.value.emergency?.key ?? null })
  }

  /** Lets the engine split traffic again after an order to resume; the weights stay as they are. */
  async #endEmergency(permit: Permit): Promise<void> {
    const { record } = this.#journal
    const { emergency, weights, fallbackReleaseId, revision } = this.#observer.router ?? {}
    if (!emergency || !weights || fallbackReleaseId === undefined || revision === undefined) return
    if (record.automationStopped || emergency.key !== record.endedEmergencyKey) return
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
    if (ended?.ok && !permit.isRevoked) this.#observer.router = ended.value
  }

  /** The number of instances that the configuration declares, as declared or stored; null when it is neither. */
  get declaredInstances(): number | null {
    return this.#instances.declared
  }

  /** Sets the number of instances that the configuration declares; called on each new loop and at each change. */
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
      () => this.#endEmergency(permit),
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

  /** Decides and acts until nothing more follows from what was observed. */
  async #converge(permit: Permit): Promise<void> {
    let isOver = false
    for (let round = 0; round < mostEventsALook && !isOver && !permit.isRevoked; round++) {
      let moved: Result<boolean> = ok(false)
      await permit.through([
        () => this.#captureBaseline(),
        () => this.#failures.explain(),
        async () => (moved = await this.#decide()),
        async () => {
          // A decision that could not be stored is made again. Until then, nothing moves toward the desired state that
          // it would have ended.
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

  /** An abandoned write may still arrive much later, so a service at rest reads the store again now and then. */
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
    // A bad judgement takes effect even if it could not be stored.
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

  /**
   * Stores everything that follows from what was observed, in one transaction. Returns whether there was anything;
   * fails when it cannot be stored.
   */
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

  /** The next deployment in the queue starts when none is moving. */
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

  /** The deployment of this service that was requested last; null when the store does not answer. */
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

  /** Known releases that a lost call left running and that nothing needs. */
  #orphans({ stableReleaseId }: ServiceRecord, active: DeploymentState | null): string[] {
    const running = Object.keys(this.#observer.target?.wanted ?? {})
    const needed = new Set([stableReleaseId, active?.candidateReleaseId])
    const orphans = running.filter((releaseId) => !needed.has(releaseId))
    const unknown = orphans.filter((releaseId) => !this.#recorder.isKnown(releaseId))
    this.#observer.note(
      'orphans',
      unknown.length > 0 ? `${unknown.join(', ')} is running, but no deployment here started it` : '',
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
    // What could not be stored is retried at the next tick, not at once.
    if (kept.ok) this.#wake()
  }

  /** Waits until the next tick is due, something was requested, or the loop is aborted. */
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
