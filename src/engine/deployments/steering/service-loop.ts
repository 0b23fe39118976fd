import { AppError, fail, ok, SerialQueue, type Result } from '../../../base/index.ts'
import {
  isEmergencyWay,
  weightOf,
  type FailedInstance,
  type Failure,
  type Release,
  type WayBack,
} from '../../../contract/index.ts'
import type { AuditDraft } from '../../audit/index.ts'
import type { Counts } from '../../canary/index.ts'
import { within, type Heart } from '../../core/index.ts'
import type { RouterReport, TargetReport } from '../../platforms/index.ts'
import { age } from '../apply.ts'
import { giveWay, obey, changedSince, whyNot, type Command, type Seen } from '../commands.ts'
import { followUps, mostEventsALook, type Facts } from '../decide.ts'
import type { DeploymentEvent } from '../events.ts'
import { failuresAfter } from '../instance-trouble.ts'
import type { ServiceRecord } from '../ports.ts'
import { scaleStep, scalingAfter, type ScaleRequest } from '../scaling.ts'
import {
  hasLeftForGood,
  isGoingBack,
  isRetiring,
  isToExplain,
  rollback,
  type DeploymentState,
} from '../state.ts'
import { noWayBack, wayBackOf, type UndoWay, type WayBackFacts } from '../way-back.ts'
import { restingState, stoppedState, desiredStateOf, type DesiredState } from '../desired-state.ts'
import { actionOf } from './audit-drafts.ts'
import { beginning, foundStable } from './beginning.ts'
import { Tasks } from './tasks.ts'
import { Actuator } from './actuator.ts'
import { Judging } from './judging.ts'
import { gone, DeploymentJournal, type Append } from './deployment-journal.ts'
import { lookBack } from './look-back.ts'
import { Observer } from './observer.ts'
import { HeadroomWatch } from './headroom-watch.ts'
import {
  answerWithinMs,
  longestTickMs,
  tickMs,
  urgentTickMs,
  type PipelineParts,
  type SteeredService,
} from './parts.ts'

/** Time that may go by between two stored events of a moving deployment: a crash loses at most that of a hold. */
const storeTimeEveryMs = 30_000
const readAgainEveryMs = 30_000
/** How many of the last lines of a candidate that failed are kept with the deployment. */
const failureLines = 20

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

export interface EmergencyRequest {
  by: string
  why: string
  /** The same for one press of the button, whatever it reaches. */
  key: string
  /** When it was made, where that was long before the engine knew of it, UTC epoch ms. */
  atMs?: number
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
  readonly #tasks: Tasks
  readonly #mayBegin: () => boolean
  readonly #changed: (view: ServiceView) => void
  readonly #queue = new SerialQueue()
  #wake: () => void = () => undefined
  #isLoaded = false
  /** The deployment at the head of the queue was kept waiting by those of other services. */
  #isCrowded = false
  #readAt = 0
  #lastTickAt: number
  /** Watched and not yet in an event, ms. */
  #watchedMs = 0
  #captured: { deploymentId: string; baseline: Counts | null; cursor: string } | null = null
  /** Instances of the candidate that have failed, also those that are gone. */
  #failed: FailedInstance[] = []
  #explained: { deploymentId: string; failure: Failure } | null = null
  #known = new Set<string>()
  /** Grows with each emergency: a look that began before it does nothing more. */
  #haltCount = 0
  #emergency: EmergencyRequest | null = null
  #declared: ScaleRequest | null = null
  /** What an undo brings back, for the state of the service that `key` names. */
  #undo: { key: string; way: UndoWay | null } | null = null
  /** When the store last failed to say so, monotonic. */
  #lookBackFailedAt = -Infinity

  constructor(
    parts: PipelineParts,
    service: SteeredService,
    changed: (view: ServiceView) => void,
    mayBegin: () => boolean = () => true,
  ) {
    this.name = service.definition.name
    this.#parts = parts
    this.#service = service
    this.#journal = new DeploymentJournal(parts, this.name)
    this.#observer = new Observer(parts, service)
    this.#actuator = new Actuator(service, this.#observer, this.#journal)
    this.#judging = new Judging(parts, service)
    this.#headroom = new HeadroomWatch(parts)
    this.#tasks = new Tasks(parts, (id, events) => void this.#finishTask(id, events))
    this.#changed = changed
    this.#mayBegin = mayBegin
    this.#lastTickAt = parts.clock.monotonicMs()
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
      wayBack: wayBackOf(this.#wayBackFacts()),
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
      return this.#append({
        entries: [this.#entry(state, event.value)],
        audit: [this.#audit(command.by, `deployments.${command.kind}`, command.why, { deploymentId: id })],
        isUrgent: event.value.kind === 'rollbackStarted',
      })
    })
    this.#wake()
    return done
  }

  /**
   * A deployment of `event.candidateReleaseId`. One under way gives way, if it is the one that `seen` names: its traffic returns first,
   * and the new one begins when it has ended. CONFLICT when another one is under way, the service is not as it was seen,
   * automation is stopped, or there is nothing to deploy.
   */
  async request(
    event: Omit<DeploymentEvent & { kind: 'requested' }, 'kind' | 'stableReleaseId'>,
    seen: Seen,
    releases: readonly Release[] = [],
  ): Promise<Result<void>> {
    const done = await this.#queue.run(async () => {
      const loaded = await this.#load()
      if (!loaded.ok) return loaded
      const { record, open } = this.#journal
      const refused = whyNot(record, open, event.candidateReleaseId, seen)
      if (refused) return fail(new AppError('CONFLICT', refused, { details: { revision: record.revision } }))
      const deploymentId = event.id
      return this.#append({
        entries: [
          ...open.flatMap((state) => {
            const way = giveWay(state, event.candidateReleaseId, event.by)
            return way ? [this.#entry(state, way)] : []
          }),
          {
            deploymentId,
            event: { ...event, kind: 'requested', stableReleaseId: record.stableReleaseId },
          },
        ],
        releases,
        audit: [
          this.#audit(event.by, 'deployments.request', event.why, {
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
    const facts = this.#wayBackFacts()
    const way = wayBackOf(facts)
    return way && isEmergencyWay(way) ? ok(way) : fail(noWayBack(this.name, facts))
  }

  /** Whether every deployment of the service is on its way back or promoted. */
  get isStopped(): boolean {
    return this.#journal.open.every((state) => isGoingBack(state) || hasLeftForGood(state))
  }

  /** Nothing that was under way moves traffic any more. Called before the router is told. */
  halt(request: EmergencyRequest): void {
    this.#haltCount += 1
    this.#emergency = request
  }

  /**
   * Keeps what the router answered to the emergency, if it was asked, then tidies up; automation stays stopped.
   */
  async afterEmergency(request: EmergencyRequest, answer: Result<RouterReport> | null): Promise<void> {
    if (answer?.ok) this.#observer.router = answer.value
    await this.#queue.run(() => this.#keepEmergency(request))
    this.#wake()
  }

  /** A person takes the responsibility back: the engine steers again. */
  async resumeAutomation(by: string, why: string, expectedRevision: number | null): Promise<Result<void>> {
    const done = await this.#queue.run(async () => {
      const loaded = await this.#load()
      if (!loaded.ok) return loaded
      const { automationStopped, revision } = this.#journal.record
      if (!automationStopped)
        return fail(new AppError('CONFLICT', `Automation of ${this.name} is not stopped`))
      if (expectedRevision !== null && expectedRevision !== revision)
        return fail(changedSince(this.#journal.record, expectedRevision))
      const router = await this.#observer.ask('router', () => this.#service.router.read(this.name))
      if (!router.ok) return router
      if (router.value.emergency) {
        const { weights, fallbackReleaseId, revision } = router.value
        const ended = await this.#observer.ask('router', () =>
          this.#service.router.set({
            service: this.name,
            weights,
            fallbackReleaseId,
            expectedRevision: revision,
            key: `${this.name}:resume:${revision}`,
            endsEmergency: true,
          }),
        )
        if (!ended.ok) return ended
        this.#observer.router = ended.value
      }
      return this.#append({
        record: { automationStopped: null },
        audit: [this.#audit(by, 'services.resume', why, {})],
      })
    })
    this.#wake()
    return done
  }

  /** What its configuration declares now, as far as it was told or stored; null where it was neither. */
  get declaredInstances(): number | null {
    return this.#declared?.instances ?? this.#journal.record.scaling?.instances ?? null
  }

  /** The number of instances that its configuration declares, told to each new loop and whenever it changes. */
  declareInstances(request: ScaleRequest): void {
    this.#declared = request
    this.#wake()
  }

  /** Stored before anything follows from it: a restarted engine goes on with a change that is not done. */
  async #keepDeclared(): Promise<void> {
    const { record, open } = this.#journal
    const openIds = open.map(({ id }) => id)
    const scaling = this.#declared && scalingAfter(record, this.#declared, openIds)
    if (scaling) await this.#append({ record: { scaling } })
  }

  /** Kept for the next look when the store does not take it. */
  async #scaleStable(): Promise<void> {
    const { record, active } = this.#journal
    const { scaling, stableReleaseId, instances: from } = record
    const step = scaleStep(record, active)
    if (!scaling?.pending || step === 'wait') return
    const { instances, pending } = scaling
    const done = { scaling: { instances, pending: null } }
    const details = { releaseId: stableReleaseId, from, to: instances }
    await this.#append(
      step === 'drop'
        ? { record: done }
        : {
            record: { ...done, instances },
            audit: [this.#audit(pending.by, 'services.scale', pending.why, details)],
          },
    )
  }

  async #tick(): Promise<void> {
    const halt = this.#haltCount
    const isHalted = () => halt !== this.#haltCount
    this.#measureTime()
    if (!(await this.#load()).ok) return
    if (isHalted()) return
    await this.#observer.look(this.#journal.active?.candidateReleaseId ?? null)
    if (isHalted()) return
    this.#watchInstances()
    await this.#noticeEmergency()
    await this.#judge()
    if (isHalted()) return
    await this.#keepDeclared()
    await this.#scaleStable()
    for (let round = 0; round < mostEventsALook; round++) {
      await this.#captureBaseline()
      await this.#explain()
      const moved = await this.#decide()
      if (isHalted()) return
      // A decision that could not be kept is made again; meanwhile nothing is done toward the desired state it would have ended.
      if (!moved.ok) break
      const desired = this.#desiredState()
      const isChanged = desired !== null && (await this.#actuator.act(desired, isHalted))
      if (isHalted()) return
      if (!moved.value && !isChanged) break
    }
    this.#tasks.attend(this.#journal.active)
    await this.#storeTime()
    await this.#lookBack()
    this.#observer.note('store', this.#journal.storeTrouble)
    this.#changed(this.view)
  }

  /** Time between two looks counts as watched, as far as it can have been: not the whole of a suspend. */
  #measureTime(): void {
    const now = this.#parts.clock.monotonicMs()
    if (this.#journal.active) this.#watchedMs += Math.min(now - this.#lastTickAt, longestTickMs)
    this.#lastTickAt = now
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
        this.#parts.store.releases(this.name, 1000),
      )
      if (!releases.ok) return releases
      this.#known = new Set(releases.value.map(({ id }) => id))
      this.#isLoaded = true
      this.#readAt = this.#parts.clock.monotonicMs()
      this.#watchedMs = 0
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

  /** An emergency that the router knows of and the engine does not: it came by another way, or an engine died over it. */
  async #noticeEmergency(): Promise<void> {
    const { emergency } = this.#observer.router ?? {}
    if (!emergency) return
    const { automationStopped } = this.#journal.record
    const { key, atMs } = emergency
    const found = { by: 'emergency', why: 'an emergency rollback was made at the router', key, atMs }
    const known = automationStopped && { ...found, by: automationStopped.by, why: automationStopped.reason }
    await this.#keepEmergency(this.#emergency ?? known ?? found)
  }

  async #keepEmergency({ by, why, key, ...request }: EmergencyRequest): Promise<void> {
    if (!(await this.#load()).ok) return
    const { active, open, record } = this.#journal
    const reason = why || `${by} pressed emergency rollback`
    const event: DeploymentEvent = { kind: 'rollbackStarted', by, reason, isEmergency: true }
    const moving = open.filter(
      (state) => !isGoingBack(state) && (!hasLeftForGood(state) || this.#hasReturned(state)),
    )
    this.#emergency = null
    if (record.automationStopped && moving.length === 0) return
    const nowMs = this.#parts.clock.nowMs()
    const atMs = Math.min(request.atMs ?? nowMs, nowMs)
    const entry = this.#audit(by, 'services.emergencyRollback', why, {
      key,
      deploymentId: active?.id ?? null,
      from: active?.candidateReleaseId ?? null,
      to: active?.stableReleaseId ?? null,
    })
    const stop = { automationStopped: { by, atMs, reason } }
    await this.#append({
      entries: moving.map((state) => this.#entry(state, event)),
      ...(record.automationStopped ? {} : { record: stop, audit: [{ ...entry, atMs }] }),
      isUrgent: true,
    })
  }

  /** The emergency came in time though the old release was about to stop: it has the traffic. */
  #hasReturned({ stableReleaseId }: DeploymentState): boolean {
    return stableReleaseId !== null && weightOf(this.#observer.router?.weights ?? {}, stableReleaseId) === 100
  }

  async #judge(): Promise<void> {
    const active = this.#journal.active
    if (!active || isGoingBack(active)) return
    const aged = age(active, this.#watchedMs)
    const due = this.#judging.due(aged)
    if (due === null) return
    const judged = await this.#judging.judge(aged, this.#journal.evidenceOf(active.id), {
      ...due,
      instanceTrouble: this.#failed[0]?.reason ?? '',
    })
    if (!judged) return
    const { judgement, bins, memory, cursor } = judged
    const kept = await this.#append({
      entries: judgement ? [this.#entry(active, { kind: 'judged', judgement })] : [],
      evidence: { deploymentId: active.id, bins, memory, cursor },
    })
    if (kept.ok || judgement?.decision !== 'rollback' || active.plan.onFailure !== 'rollback') return
    // A bad judgement is acted upon whether or not it could be kept.
    const current = this.#journal.open.find(({ id }) => id === active.id)
    if (!current || isGoingBack(current)) return
    const event = rollback(judgement.text)
    await this.#append({
      entries: [this.#entry(current, event)],
      audit: this.#auditOf(current, event),
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

  #watchInstances(): void {
    const { active } = this.#journal
    const { target } = this.#observer
    if (!active || active.stage.kind === 'queued' || active.stage.kind === 'validating') this.#failed = []
    else if (target) this.#failed = failuresAfter(this.#failed, active.candidateReleaseId, target)
  }

  /** Reads what a candidate that failed has printed: when it is paused, or its traffic has returned and its instances still run. */
  async #explain(): Promise<void> {
    const { active } = this.#journal
    const { router } = this.#observer
    if (!active || !isToExplain(active) || this.#explained?.deploymentId === active.id) return
    if (!active.pause && weightOf(router?.weights ?? {}, active.candidateReleaseId) > 0) return
    const { target, definition } = this.#service
    const releaseId = active.candidateReleaseId
    const lines = await within(this.#parts.clock, answerWithinMs, `the target of ${definition.name}`, () =>
      target.logs({ service: definition.name, releaseId, lines: failureLines }),
    )
    const failure = {
      instances: this.#failed.slice(0, 10),
      lines: lines.ok
        ? lines.value
            .filter((line) => line.releaseId === releaseId)
            .slice(-failureLines)
            .map((line) => ({ ...line, text: line.text.slice(0, 1000) }))
        : [],
    }
    this.#explained = { deploymentId: active.id, failure }
  }

  /** Everything that follows from what was seen, in one transaction. Gives whether anything did; fails when it is not kept. */
  async #decide(): Promise<Result<boolean>> {
    const begun = await this.#begin()
    const { active, record } = this.#journal
    if (!active) return ok(begun)
    const captured = this.#captured?.deploymentId === active.id ? this.#captured : null
    const facts: Facts = {
      router: this.#observer.router,
      target: this.#observer.target,
      deadForMs: this.#observer.deadForMs,
      steadyForMs: this.#observer.steadyForMs,
      missingRoom: this.#headroom.missing(active.plan),
      ...(captured ? { baseline: captured.baseline } : {}),
      ...(this.#explained?.deploymentId === active.id ? { failure: this.#explained.failure } : {}),
    }
    const events = followUps(age(active, this.#watchedMs), record, facts)
    if (events.length === 0) return ok(begun)
    const isCaptured = events.some(({ kind }) => kind === 'baselineCaptured')
    const isRollback = events.some(({ kind }) => kind === 'rollbackStarted')
    const appended = await this.#append({
      entries: events.map((event, i) =>
        i === 0 ? this.#entry(active, event) : { deploymentId: active.id, event },
      ),
      ...(isCaptured && captured
        ? { evidence: { deploymentId: active.id, bins: [], memory: null, cursor: captured.cursor } }
        : {}),
      audit: events.flatMap((event) => this.#auditOf(active, event)),
      isUrgent: isRollback || isGoingBack(active),
    })
    if (appended.ok && events.some(({ kind }) => kind === 'failureExplained')) this.#explained = null
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
    this.#watchedMs = 0
    const begun = await this.#append({
      entries: [this.#entry(active, event)],
      audit: this.#auditOf(active, event),
      ...(adopted ? { record: adopted } : {}),
    })
    return begun.ok
  }

  /** Of the deployment of this service that was asked for last; null when the store does not tell. */
  async #newestId(): Promise<string | null> {
    const found = await within(this.#parts.clock, answerWithinMs, 'the state database', () =>
      this.#parts.store.deployments({ service: this.name, limit: 1 }),
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
    const unknown = orphans.filter((releaseId) => !this.#known.has(releaseId))
    this.#observer.note(
      'orphans',
      unknown.length > 0 ? `${unknown.join(', ')} runs although no deployment here has started it` : '',
    )
    return orphans.filter((releaseId) => this.#known.has(releaseId))
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
      return this.#append({
        entries: events.map((event, i) => (i === 0 ? this.#entry(state, event) : { deploymentId, event })),
        audit: events.flatMap((event) => this.#auditOf(state, event)),
        isUrgent: events.some(({ kind }) => kind === 'rollbackStarted'),
      })
    })
    // What could not be kept is told again at the next look, not at once.
    if (kept.ok) this.#wake()
  }

  #wayBackFacts(): WayBackFacts {
    const { record, open } = this.#journal
    const undo = this.#undo?.key === this.#undoKey ? this.#undo.way : null
    return { record, open, router: this.#observer.router, undo }
  }

  get #undoKey(): string {
    const { record, open } = this.#journal
    return [record.revision, record.stableReleaseId, ...open.map(({ id }) => id)].join(' ')
  }

  /** At rest: finds out what an undo would bring back, once for each state of the service. */
  async #lookBack(): Promise<void> {
    const { active, record } = this.#journal
    const isAtRest = active === null || isRetiring(active)
    const now = this.#parts.clock.monotonicMs()
    if (!isAtRest || record.stableReleaseId === null || this.#undo?.key === this.#undoKey) return
    // A store that does not answer holds up every look at the service while it is asked.
    if (now - this.#lookBackFailedAt < readAgainEveryMs) return
    const key = this.#undoKey
    const found = await lookBack(this.#parts, this.name, active)
    if (found.ok) this.#undo = { key, way: found.value }
    else this.#lookBackFailedAt = this.#parts.clock.monotonicMs()
  }

  /** Keeps the clocks of a state on disk though nothing else happens. */
  async #storeTime(): Promise<void> {
    const active = this.#journal.active
    if (!active || this.#watchedMs < storeTimeEveryMs) return
    await this.#append({ entries: [this.#entry(active, { kind: 'watched' })] })
  }

  #entry(
    state: DeploymentState,
    event: DeploymentEvent,
  ): { deploymentId: string; event: DeploymentEvent; elapsedMs: number } {
    const isActive = state.id === this.#journal.active?.id
    return { deploymentId: state.id, event, elapsedMs: isActive ? this.#watchedMs : 0 }
  }

  async #append(append: Append): Promise<Result<void>> {
    const before = this.#journal.active?.id
    const takesTime = append.entries?.some(({ deploymentId }) => deploymentId === before) ?? false
    const appended = await this.#journal.append(append)
    if (appended.ok && (takesTime || this.#journal.active?.id !== before)) this.#watchedMs = 0
    if (appended.ok) for (const { id } of append.releases ?? []) this.#known.add(id)
    for (const { candidateReleaseId } of this.#journal.open) this.#known.add(candidateReleaseId)
    this.#observer.note('store', this.#journal.storeTrouble)
    this.#changed(this.view)
    return appended
  }

  #auditOf(state: DeploymentState, event: DeploymentEvent): AuditDraft[] {
    const action = actionOf(state, event)
    return action ? [{ ...action, atMs: this.#parts.clock.nowMs(), target: this.name }] : []
  }

  #audit(actor: string, action: string, why: string, details: Record<string, unknown>): AuditDraft {
    return { atMs: this.#parts.clock.nowMs(), actor, action, target: this.name, why, details }
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
