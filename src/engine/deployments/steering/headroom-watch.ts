import type { Plan } from '../../../contract/index.ts'
import type { PipelineParts } from './parts.ts'

/** Headroom counts only once it has lasted, so that a host at its limit does not make a deployment stop and go. */
const roomyForMs = 10_000

/** Watches the hosts for a deployment. */
export class HeadroomWatch {
  readonly #parts: Pick<PipelineParts, 'clock' | 'room'>
  #full: { plan: Plan; text: string; atMs: number } | null = null

  constructor(parts: Pick<PipelineParts, 'clock' | 'room'>) {
    this.#parts = parts
  }

  /**
   * Resources that are above the limits of the plan, or were a moment ago, as a clause; empty when there is headroom.
   */
  missing(plan: Plan): string {
    if (!plan.resources) return ''
    const atMs = this.#parts.clock.monotonicMs()
    const text = this.#parts.room(plan.resources)
    if (text !== '') this.#full = { plan, text, atMs }
    else if (this.#full?.plan !== plan || atMs - this.#full.atMs >= roomyForMs) this.#full = null
    return this.#full?.text ?? ''
  }
}
