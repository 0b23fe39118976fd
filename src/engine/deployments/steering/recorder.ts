import { type Result } from '../../../base/index.ts'
import type { AuditDraft } from '../../audit/index.ts'
import { age } from '../apply.ts'
import type { DeploymentEvent } from '../events.ts'
import type { DeploymentState } from '../state.ts'
import { actionOf } from './audit-drafts.ts'
import type { Append, DeploymentJournal, Entry } from './deployment-journal.ts'
import type { Observer } from './observer.ts'
import { longestTickMs, type PipelineParts } from './parts.ts'

/** Time that may go by between two stored events of a moving deployment: a crash loses at most that of a hold. */
const storeTimeEveryMs = 30_000

/** Puts what happens to a service into its journal, each event with the time that was watched before it. */
export class Recorder {
  readonly #parts: Pick<PipelineParts, 'clock'>
  readonly #service: string
  readonly #journal: DeploymentJournal
  readonly #observer: Observer
  readonly #changed: () => void
  readonly #known = new Set<string>()
  #lastLookAt: number
  /** Watched and not yet in an event, ms. */
  #watchedMs = 0

  constructor(
    parts: Pick<PipelineParts, 'clock'>,
    service: string,
    journal: DeploymentJournal,
    observer: Observer,
    changed: () => void,
  ) {
    this.#parts = parts
    this.#service = service
    this.#journal = journal
    this.#observer = observer
    this.#changed = changed
    this.#lastLookAt = parts.clock.monotonicMs()
  }

  /** A release that this service has, or had since the engine started. */
  isKnown(releaseId: string): boolean {
    return this.#known.has(releaseId)
  }

  learn(releaseIds: Iterable<string>): void {
    for (const id of releaseIds) this.#known.add(id)
  }

  /** The state of now: that of its last event, and the time watched since. */
  aged(state: DeploymentState): DeploymentState {
    return age(state, this.#watchedMs)
  }

  /** Time between two looks counts as watched, as far as it can have been: not the whole of a suspend. */
  measureTime(): void {
    const now = this.#parts.clock.monotonicMs()
    if (this.#journal.active) this.#watchedMs += Math.min(now - this.#lastLookAt, longestTickMs)
    this.#lastLookAt = now
  }

  /** What was watched so far belongs to nothing that is open. */
  forgetTime(): void {
    this.#watchedMs = 0
  }

  /** Keeps the clocks of a state on disk though nothing else happens. */
  async storeTime(): Promise<void> {
    const { active } = this.#journal
    if (!active || this.#watchedMs < storeTimeEveryMs) return
    await this.append({ entries: [this.entry(active, { kind: 'watched' })] })
  }

  async append(append: Append): Promise<Result<void>> {
    const before = this.#journal.active?.id
    const takesTime = append.entries?.some(({ deploymentId }) => deploymentId === before) ?? false
    const appended = await this.#journal.append(append)
    if (appended.ok && (takesTime || this.#journal.active?.id !== before)) this.forgetTime()
    if (appended.ok) this.learn((append.releases ?? []).map(({ id }) => id))
    this.learn(this.#journal.open.map(({ candidateReleaseId }) => candidateReleaseId))
    this.noteStore()
    this.#changed()
    return appended
  }

  noteStore(): void {
    this.#observer.note('store', this.#journal.storeTrouble)
  }

  entry(state: DeploymentState, event: DeploymentEvent): Entry {
    const isActive = state.id === this.#journal.active?.id
    return { deploymentId: state.id, event, elapsedMs: isActive ? this.#watchedMs : 0 }
  }

  /** All of one moment: the time watched goes to the first. */
  entries(state: DeploymentState, events: readonly DeploymentEvent[]): Entry[] {
    return events.map((event, i) => (i === 0 ? this.entry(state, event) : { deploymentId: state.id, event }))
  }

  /** What the engine does of its own accord by these events. */
  auditOf(state: DeploymentState, events: readonly DeploymentEvent[]): AuditDraft[] {
    return events.flatMap((event) => {
      const action = actionOf(state, event)
      return action ? [{ ...action, atMs: this.#parts.clock.nowMs(), target: this.#service }] : []
    })
  }

  audit(actor: string, action: string, why: string, details: Record<string, unknown>): AuditDraft {
    return { atMs: this.#parts.clock.nowMs(), actor, action, target: this.#service, why, details }
  }
}
