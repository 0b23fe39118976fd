import type { Result } from '../../../base/index.ts'
import { within } from '../../core/index.ts'
import type { RouterReport, TargetReport } from '../../platforms/index.ts'
import { healthyCount } from '../desired-state.ts'
import { answerWithinMs, longestTickMs, type PipelineParts, type SteeredService } from './parts.ts'

type Part = 'router' | 'target' | 'store' | 'orphans' | 'definition'

/** How long a platform that starts together with the engine may stay silent before that counts as trouble. */
const startGraceMs = 10_000

/** Observes a service: the newest answers of its router and target, and their trouble. */
export class Observer {
  readonly #parts: PipelineParts
  readonly #service: SteeredService
  readonly #troubles = new Map<Part, string>()
  readonly #beganAt: number
  readonly #answered = new Set<Part>()
  #isDeclared = false
  #deadSince: number | null = null
  #steady: { forMs: number; seenAt: number; seen: string } | null = null
  /** Null while nobody answers. */
  router: RouterReport | null = null
  target: TargetReport | null = null

  constructor(parts: PipelineParts, service: SteeredService) {
    this.#parts = parts
    this.#service = service
    this.#beganAt = parts.clock.monotonicMs()
  }

  /** All trouble, as sentences; empty when there is none. One platform may be both router and target. */
  get trouble(): string {
    const troubles = [...this.#troubles].filter(([part]) => part !== 'definition')
    return [...new Set(troubles.map(([, text]) => text))].join('; ')
  }

  /** Why the platform refuses the definition of the service, as sentences; empty when it does not. */
  get refusal(): string {
    return this.#troubles.get('definition') ?? ''
  }

  /** How long the release asked about last has had no healthy instance, ms. */
  get deadForMs(): number {
    return this.#deadSince === null ? 0 : this.#parts.clock.monotonicMs() - this.#deadSince
  }

  /** How long all instances of that release have been healthy without a restart, ms. */
  get steadyForMs(): number {
    return this.#steady?.forMs ?? 0
  }

  /** Asks both at once; declares the service to them first if they do not know it. */
  async look(candidateReleaseId: string | null): Promise<void> {
    if (!this.#isDeclared) await this.#declare()
    const { router, target, definition } = this.#service
    const [routed, running] = await Promise.all([
      this.ask('router', () => router.read(definition.name)),
      this.ask('target', () => target.observe(definition.name)),
    ])
    this.router = routed.ok ? routed.value : null
    this.target = running.ok ? running.value : null
    this.#watchHealth(candidateReleaseId)
    // A restart can lose the declaration, so it is made again.
    const isForgotten = [routed, running].some((answer) => !answer.ok && answer.error.code === 'NOT_FOUND')
    if (isForgotten) this.#isDeclared = false
  }

  /** Asks the target again, after it was told to change something. */
  async observe(): Promise<void> {
    const { target, definition } = this.#service
    const running = await this.ask('target', () => target.observe(definition.name))
    this.target = running.ok ? running.value : null
  }

  /** An answer of the router or target within the time allowed; a failure is trouble until the next answer. */
  async ask<T>(part: 'router' | 'target', call: () => Promise<Result<T>>): Promise<Result<T>> {
    const what = `the ${part} of ${this.#service.definition.name}`
    const answer = await within(this.#parts.clock, answerWithinMs, what, call)
    if (answer.ok) this.#answered.add(part)
    // Not knowing a service says less than the reason why it was refused.
    const isConsequence = !answer.ok && answer.error.code === 'NOT_FOUND' && this.refusal !== ''
    if (!this.#isStarting(part, answer))
      this.note(part, answer.ok || isConsequence ? '' : answer.error.message)
    return answer
  }

  /** One sentence for each part in trouble, logged once; empty when it has recovered. */
  note(part: Part, text: string): void {
    if ((this.#troubles.get(part) ?? '') === text) return
    if (text === '') this.#troubles.delete(part)
    else {
      this.#troubles.set(part, text)
      const service = this.#service.definition.name
      this.#parts.log.warn('a service is in trouble', { service, part, trouble: text })
    }
  }

  /** Whether `part` has not answered so far but may be about to. */
  #isStarting(part: Part, answer: Result<unknown>): boolean {
    if (answer.ok || this.#answered.has(part)) return false
    // One that has just started is told of the service at the next look.
    const isExpected = answer.error.code === 'UNAVAILABLE' || answer.error.code === 'NOT_FOUND'
    if (!isExpected) return false
    return this.#parts.clock.monotonicMs() - this.#beganAt < startGraceMs
  }

  /**
   * Both must know the service, and each is told even if the other is down. A refusal stands until the platform
   * accepts.
   */
  async #declare(): Promise<void> {
    const { clock } = this.#parts
    const { target, router, definition } = this.#service
    const tell = <T>(part: Part, call: () => Promise<Result<T>>) =>
      within(clock, answerWithinMs, `the ${part} of ${definition.name}`, call)
    const told = await Promise.all([
      tell('target', () => target.declare(definition)),
      tell('router', () => router.declare(definition)),
    ])
    this.#isDeclared = told.every(({ ok }) => ok)
    // The next call reports that nobody answers.
    const refused = told.flatMap((answer) =>
      answer.ok || answer.error.code === 'UNAVAILABLE' || answer.error.code === 'TIMEOUT'
        ? []
        : [answer.error.message],
    )
    if (this.#isDeclared || refused.length > 0) this.note('definition', [...new Set(refused)].join('; '))
  }

  #watchHealth(releaseId: string | null): void {
    if (releaseId === null) this.#deadSince = this.#steady = null
    if (releaseId === null || this.target === null) return
    if (healthyCount(releaseId, this.target) > 0) this.#deadSince = null
    else this.#deadSince ??= this.#parts.clock.monotonicMs()
    const own = this.target.instances.filter((each) => each.releaseId === releaseId)
    const isWell = own.length > 0 && own.every(({ state }) => state === 'healthy')
    const seen = own.map(({ id, restartCount }) => `${id}:${restartCount}`).join()
    const seenAt = this.#parts.clock.monotonicMs()
    const before = this.#steady?.seen === seen ? this.#steady : { forMs: 0, seenAt }
    // Of unwatched time, such as a suspend, no more than the longest interval counts.
    const moreMs = Math.min(seenAt - before.seenAt, longestTickMs)
    this.#steady = isWell ? { forMs: before.forMs + moreMs, seenAt, seen } : null
  }
}
