import { localActor, type Actor, localOperatorIn, weightOf } from '../../../contract/index.ts'
import type { DeploymentEvent } from '../events.ts'
import { hasLeftForGood, isGoingBack, type DeploymentState } from '../state.ts'
import type { DeploymentJournal } from './deployment-journal.ts'
import type { Halt } from './halt.ts'
import type { Observer } from './observer.ts'
import type { PipelineParts } from './parts.ts'
import type { Recorder } from './recorder.ts'

export interface EmergencyRequest {
  by: Actor
  why: string
  /** The same for everything that one press of the button reaches. */
  key: string
  /** When it was ordered, if that was long before the engine knew of it, UTC epoch ms. */
  atMs?: number
}

/**
 * An emergency rollback of one service. It halts everything first and is stored afterwards, when traffic has moved.
 * From then on automation of the service is stopped.
 */
export class Emergency {
  readonly #parts: Pick<PipelineParts, 'clock'>
  readonly #journal: DeploymentJournal
  readonly #observer: Observer
  readonly #recorder: Recorder
  readonly #halt: Halt
  /** An emergency that is not stored yet. */
  #request: EmergencyRequest | null = null

  constructor(
    parts: Pick<PipelineParts, 'clock'>,
    journal: DeploymentJournal,
    observer: Observer,
    recorder: Recorder,
    halt: Halt,
  ) {
    this.#parts = parts
    this.#journal = journal
    this.#observer = observer
    this.#recorder = recorder
    this.#halt = halt
  }

  /** Whether every deployment of the service is on its way back or promoted. */
  get isStopped(): boolean {
    return this.#journal.open.every((state) => isGoingBack(state) || hasLeftForGood(state))
  }

  /** Stops everything in progress from moving traffic. Call it before the router is told. */
  begin(request: EmergencyRequest): void {
    this.#halt.now()
    this.#request = request
  }

  /** An emergency that the router knows and the engine does not: it came another way, or the engine died during it. */
  async notice(): Promise<void> {
    const { emergency } = this.#observer.router ?? {}
    const { automationStopped, endedEmergencyKey } = this.#journal.record
    if (!emergency || (!automationStopped && emergency.key === endedEmergencyKey)) return
    const { key, atMs } = emergency
    const by = localOperatorIn(key) ?? { ...localActor, name: 'emergency' }
    const found = { by, why: 'an emergency rollback was sent directly to the router', key, atMs }
    const known = automationStopped && { ...found, by: automationStopped.by, why: automationStopped.reason }
    await this.keep(this.#request ?? known ?? found)
  }

  /** Stops all deployments and automation, and stores that as soon as possible. The journal must be loaded. */
  async keep({ by, why, key, ...request }: EmergencyRequest): Promise<void> {
    const { active, open, record } = this.#journal
    const reason = why || `${by.name} started an emergency rollback`
    const event: DeploymentEvent = { kind: 'rollbackStarted', by, reason, isEmergency: true }
    const moving = open.filter(
      (state) => !isGoingBack(state) && (!hasLeftForGood(state) || this.#hasReturned(state)),
    )
    this.#request = null
    if (record.automationStopped && moving.length === 0) return
    const nowMs = this.#parts.clock.nowMs()
    const atMs = Math.min(request.atMs ?? nowMs, nowMs)
    const entry = this.#recorder.audit(by, 'services.emergencyRollback', why, {
      key,
      deploymentId: active?.id ?? null,
      from: active?.candidateReleaseId ?? null,
      to: active?.stableReleaseId ?? null,
    })
    const stop = { automationStopped: { by, atMs, reason } }
    await this.#recorder.append({
      entries: moving.map((state) => this.#recorder.entry(state, event)),
      ...(record.automationStopped ? {} : { record: stop, audit: [{ ...entry, atMs }] }),
      isUrgent: true,
    })
  }

  /** The emergency came in time, although the old release was about to stop: it has the traffic. */
  #hasReturned({ stableReleaseId }: DeploymentState): boolean {
    return stableReleaseId !== null && weightOf(this.#observer.router?.weights ?? {}, stableReleaseId) === 100
  }
}
