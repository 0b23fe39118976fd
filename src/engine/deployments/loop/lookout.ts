import { within, type Result } from '../../core/index.ts'
import type { RouterReport, TargetReport } from '../../services/index.ts'
import { healthyCount } from '../wishes.ts'
import { answerWithinMs, type PipelineParts, type SteeredService } from './parts.ts'

type Part = 'router' | 'target' | 'store' | 'strays'

/** What is seen of a service: the newest answers of its router and target, and what ails. */
export class Lookout {
  readonly #parts: PipelineParts
  readonly #service: SteeredService
  readonly #troubles = new Map<Part, string>()
  #isDeclared = false
  #deadSince: number | null = null
  /** Null while nobody answers. */
  router: RouterReport | null = null
  target: TargetReport | null = null

  constructor(parts: PipelineParts, service: SteeredService) {
    this.#parts = parts
    this.#service = service
  }

  /** Everything that ails, as sentences; empty when all is well. */
  get trouble(): string {
    return [...this.#troubles.values()].join('; ')
  }

  /** How long the release that was last looked for has had no healthy instance, ms. */
  get deadForMs(): number {
    return this.#deadSince === null ? 0 : this.#parts.clock.monotonicMs() - this.#deadSince
  }

  /** Asks both at once; tells them first of the service when they do not know it. */
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
    // A restart can lose what was declared: it is told again.
    const isForgotten = [routed, running].some((answer) => !answer.ok && answer.error.code === 'NOT_FOUND')
    if (isForgotten) this.#isDeclared = false
  }

  /** The target once more, after it was asked to change something. */
  async observe(): Promise<void> {
    const { target, definition } = this.#service
    const running = await this.ask('target', () => target.observe(definition.name))
    this.target = running.ok ? running.value : null
  }

  /** An answer of router or target within the time that a look may take; a failure is in trouble until the next answer. */
  async ask<T>(part: 'router' | 'target', call: () => Promise<Result<T>>): Promise<Result<T>> {
    const what = `the ${part} of ${this.#service.definition.name}`
    const answer = await within(this.#parts.clock, answerWithinMs, what, call)
    this.note(part, answer.ok ? '' : answer.error.message)
    return answer
  }

  /** One sentence for each part that ails, told once to the log; empty when it is well again. */
  note(part: Part, text: string): void {
    if ((this.#troubles.get(part) ?? '') === text) return
    if (text === '') this.#troubles.delete(part)
    else {
      this.#troubles.set(part, text)
      const service = this.#service.definition.name
      this.#parts.log.warn('a service is in trouble', { service, part, trouble: text })
    }
  }

  /** Both must know the service, and each is told though the other is dead. */
  async #declare(): Promise<void> {
    const { target, router, definition } = this.#service
    const told = await Promise.all([
      this.ask('target', () => target.declare(definition)),
      this.ask('router', () => router.declare(definition)),
    ])
    this.#isDeclared = told.every(({ ok }) => ok)
  }

  #watchHealth(releaseId: string | null): void {
    if (releaseId === null) this.#deadSince = null
    if (releaseId === null || this.target === null) return
    if (healthyCount(releaseId, this.target) > 0) this.#deadSince = null
    else this.#deadSince ??= this.#parts.clock.monotonicMs()
  }
}
