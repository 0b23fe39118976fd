import { isRetiring } from '../state.ts'
import type { UndoWay, WayBackFacts } from '../way-back.ts'
import type { DeploymentJournal } from './deployment-journal.ts'
import { lookBack } from './look-back.ts'
import type { Observer } from './observer.ts'
import { readAgainEveryMs, type PipelineParts } from './parts.ts'

/** What an undo of a service would bring back, looked up once for each state of it. */
export class UndoWatch {
  readonly #parts: Pick<PipelineParts, 'clock' | 'stores'>
  readonly #service: string
  readonly #journal: DeploymentJournal
  readonly #observer: Observer
  /** Cached for the state of the service that `key` names. */
  #undo: { key: string; way: UndoWay | null } | null = null
  /** When the store last failed to answer, monotonic. */
  #failedAt = -Infinity

  constructor(
    parts: Pick<PipelineParts, 'clock' | 'stores'>,
    service: string,
    journal: DeploymentJournal,
    observer: Observer,
  ) {
    this.#parts = parts
    this.#service = service
    this.#journal = journal
    this.#observer = observer
  }

  /** The facts that decide how the service can go back now. */
  get facts(): WayBackFacts {
    const { record, open } = this.#journal
    const undo = this.#undo?.key === this.#key ? this.#undo.way : null
    return { record, open, router: this.#observer.router, undo }
  }

  get #key(): string {
    const { record, open } = this.#journal
    return [record.revision, record.stableReleaseId, ...open.map(({ id }) => id)].join(' ')
  }

  /** Asks the store at rest, if the answer is not known yet. */
  async look(): Promise<void> {
    const { active, record } = this.#journal
    const { clock } = this.#parts
    const isAtRest = active === null || isRetiring(active)
    if (!isAtRest || record.stableReleaseId === null || this.#undo?.key === this.#key) return
    // A store that does not answer would delay every tick of the service.
    if (clock.monotonicMs() - this.#failedAt < readAgainEveryMs) return
    const key = this.#key
    const found = await lookBack(this.#parts, this.#service, active)
    if (found.ok) this.#undo = { key, way: found.value }
    else this.#failedAt = clock.monotonicMs()
  }
}
