import type { Deployment, RollbackOutcome, ServiceState } from '../../contract/index.ts'
import { failureOf } from '../state/failure.ts'
import type { Operations } from '../state/operations.ts'
import { rollbackSigns } from './rollback-signs.ts'
import type { RollbackTarget } from './rollback-targets.ts'

/** How far the rollback of one service is. Nothing here is hoped for: each step was said by the engine. */
export type RollbackProgress =
  | { kind: 'pending' }
  /** The engine has taken the order; the router is not read back yet. */
  | { kind: 'accepted'; afterMs: number }
  | { kind: 'verified'; outcome: RollbackOutcome }
  | { kind: 'failed'; text: string; whatToDo: string }

export interface RollbackLine {
  target: RollbackTarget
  progress: RollbackProgress
}

export interface RollbackPorts {
  calls(): Pick<Operations, 'rollback'>
  nowMs(): number
}

/** One order to roll back, and what became of it for each service. */
export class RollbackRun {
  readonly isAll: boolean
  #ports: RollbackPorts
  #lines = $state.raw<readonly RollbackLine[]>([])
  #orderedAtMs: number
  #isSettled = $state(false)
  #signsBefore: ReadonlyMap<string, string> | undefined

  /** `isAll` orders it for every service with a candidate, also for those this page does not know of. */
  constructor(targets: readonly RollbackTarget[], isAll: boolean, ports: RollbackPorts) {
    this.isAll = isAll
    this.#ports = ports
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

  /** Every router was read back and has it. */
  get isVerified(): boolean {
    return this.#isSettled && this.#lines.every(({ progress }) => progress.kind === 'verified')
  }

  async order(why: string): Promise<void> {
    const services = this.#lines.map(({ target }) => target.service)
    try {
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
      text: 'The engine says nothing of this service.',
      whatToDo: 'It may have had no candidate any more: look at its traffic.',
    }
  if (outcome.ok) return { kind: 'verified', outcome }
  return {
    kind: 'failed',
    text: outcome.text,
    whatToDo: 'Order it again; if the router cannot be reached, look at it or at its machine.',
  }
}

const targetOf = ({ service, fromReleaseId, releaseId }: RollbackOutcome): RollbackTarget => ({
  service,
  from: fromReleaseId ?? '–',
  to: releaseId ?? '–',
  weight: 0,
  isProduction: false,
})
