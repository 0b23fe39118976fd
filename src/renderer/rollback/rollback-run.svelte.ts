import {
  isEmergencyWay,
  undoOrder,
  type CallClient,
  type Deployment,
  type RollbackOutcome,
  type ServiceState,
  type ServiceWayBack,
} from '../../contract/index.ts'
import { failureOf } from '../state/failure.ts'
import { rollbackSigns } from './rollback-signs.ts'

/** How far the rollback of one service is. Nothing here is hoped for: each step was said by the engine. */
export type RollbackProgress =
  | { kind: 'pending' }
  /** The engine has taken the order; the router is not read back yet. */
  | { kind: 'accepted'; afterMs: number }
  | { kind: 'verified'; outcome: RollbackOutcome }
  /** An undo: its deployment has begun, and traffic moves when the instances are healthy. */
  | { kind: 'started'; deploymentId: string }
  | { kind: 'failed'; text: string; whatToDo: string }

export interface RollbackLine {
  target: Pick<ServiceWayBack, 'service' | 'from' | 'to'>
  progress: RollbackProgress
}

export interface RollbackPorts {
  calls(): Pick<CallClient, 'rollback' | 'deployments'>
  nowMs(): number
}

/** One order to roll back, and what became of it for each service. */
export class RollbackRun {
  readonly isAll: boolean
  #ports: RollbackPorts
  readonly #undo: ServiceWayBack | null
  #lines = $state.raw<readonly RollbackLine[]>([])
  #orderedAtMs: number
  #isSettled = $state(false)
  #signsBefore: ReadonlyMap<string, string> | undefined

  /**
   * `isAll` orders it for every service that can go back at once, also for those this page does not know of. An undo goes
   * alone.
   */
  constructor(targets: readonly ServiceWayBack[], isAll: boolean, ports: RollbackPorts) {
    this.isAll = isAll
    this.#ports = ports
    this.#undo = targets.find((way) => !isEmergencyWay(way)) ?? null
    this.#orderedAtMs = ports.nowMs()
    this.#lines = targets.map((target) => ({ target, progress: { kind: 'pending' } }))
  }

  get lines(): readonly RollbackLine[] {
    return this.#lines
  }
  /** The engine has answered, or cannot be reached. */
  get isSettled(): boolean {
    return this.#isSettled
  }

  /** Every router was read back and has it; an undo has begun. */
  get isVerified(): boolean {
    const isDone = ({ progress: { kind } }: RollbackLine) => kind === 'verified' || kind === 'started'
    return this.#isSettled && this.#lines.every(isDone)
  }

  async order(why: string): Promise<void> {
    const services = this.#lines.map(({ target }) => target.service)
    try {
      if (this.#undo) {
        const { id } = await this.#ports.calls().deployments.undo({ ...undoOrder(this.#undo), why })
        this.#put(() => ({ kind: 'started', deploymentId: id }))
        this.#isSettled = true
        return
      }
      const outcomes = await this.#ports
        .calls()
        .rollback.emergency({ ...(this.isAll ? {} : { services }), why })
      this.#take(outcomes)
    } catch (error) {
      const { title, text, action } = failureOf(error)
      this.#put(() => ({ kind: 'failed', text: text || title, whatToDo: action }))
    }
    this.#isSettled = true
  }

  /** Looks for signs in the live records that the engine has taken the order, new since the first call. */
  see(services: readonly ServiceState[], deployments: readonly Deployment[]): void {
    const signs = rollbackSigns(services, deployments)
    this.#signsBefore ??= signs
    const before = this.#signsBefore
    const isTaken = (name: string) => signs.has(name) && signs.get(name) !== before.get(name)
    const pending = this.#lines.filter(({ progress }) => progress.kind === 'pending')
    if (!pending.some(({ target }) => isTaken(target.service))) return
    const afterMs = this.#ports.nowMs() - this.#orderedAtMs
    this.#put(({ target, progress }) =>
      progress.kind === 'pending' && isTaken(target.service) ? { kind: 'accepted', afterMs } : progress,
    )
  }

  #take(outcomes: readonly RollbackOutcome[]): void {
    const known = this.#lines.map(({ target }) => target.service)
    const others = outcomes
      .filter(({ service }) => !known.includes(service))
      .map((outcome): RollbackLine => ({ target: targetOf(outcome), progress: { kind: 'pending' } }))
    this.#lines = [...this.#lines, ...others]
    this.#put(({ target }) => progressOf(outcomes.find(({ service }) => service === target.service)))
  }

  #put(progress: (line: RollbackLine) => RollbackProgress): void {
    this.#lines = this.#lines.map((line) => ({ ...line, progress: progress(line) }))
  }
}

function progressOf(outcome: RollbackOutcome | undefined): RollbackProgress {
  if (!outcome)
    return {
      kind: 'failed',
      text: 'The engine did not report on this service.',
      whatToDo: 'There may be nothing left to roll back: check its traffic.',
    }
  if (outcome.ok) return { kind: 'verified', outcome }
  return {
    kind: 'failed',
    text: outcome.text,
    whatToDo: outcome.nextCommand
      ? `Run: ${outcome.nextCommand}`
      : 'Try again. If the router cannot be reached, check the router and its machine.',
  }
}

const targetOf = ({ service, fromReleaseId, releaseId }: RollbackOutcome): RollbackLine['target'] => ({
  service,
  from: fromReleaseId ?? '–',
  to: releaseId ?? '–',
})
