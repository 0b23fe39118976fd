import type { Actor } from '../../../contract/index.ts'
import { type Result } from '../../../base/index.ts'
import type { AuditDraft } from '../../audit/index.ts'
import { age } from '../apply.ts'
import type { DeploymentEvent } from '../events.ts'
import type { DeploymentState } from '../state.ts'
import { actionOf } from './audit-drafts.ts'
import type { Append, DeploymentJournal, Entry } from './deployment-journal.ts'
import type { Observer } from './observer.ts'
import { longestTickMs, type PipelineParts } from './parts.ts'

/** Most time between two stored events of a moving deployment: a crash loses at most this much of a hold. */
const storeTimeEveryMs = 30_000

/** Writes events of a service to its journal, each with the watched time before it. */
export class Recorder {
  readonly #parts: Pick<PipelineParts, 'clock'>
  readonly #service: string
  readonly #journal: DeploymentJournal
  readonly #observer: Observer
  readonly #changed: () => void
  readonly #known = new Set<string>()
  #lastLookAt: number
  /** Watched time that is not in an event yet, ms. */
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

  /** The current state: that of the last event plus the time watched since. */
  aged(state: DeploymentState): DeploymentState {
    return age(state, this.#watchedMs)
  }

  /** Time between two ticks counts as watched, up to a limit: a suspend does not count in full. */
  measureTime(): void {
    const now = this.#parts.clock.monotonicMs()
    if (this.#journal.active) this.#watchedMs += Math.min(now - this.#lastLookAt, longestTickMs)
    this.#lastLookAt = now
  }

  /** The time watched so far belongs to no open deployment. */
  forgetTime(): void {
    this.#watchedMs = 0
  }

  /** Stores the clocks of a state when nothing else happens. */
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

  /** Events of one moment: the watched time goes to the first. */
  entries(state: DeploymentState, events: readonly DeploymentEvent[]): Entry[] {
    return events.map((event, i) => (i === 0 ? this.entry(state, event) : { deploymentId: state.id, event }))
  }

  /** Audit entries for what the engine does on its own with these events. */
  auditOf(state: DeploymentState, events: readonly DeploymentEvent[]): AuditDraft[] {
    return events.flatMap((event) => {
      const action = actionOf(state, event)
      return action ? [{ ...action, atMs: this.#parts.clock.nowMs(), target: this.#service }] : []
    })
  }

  audit(actor: Actor, action: string, why: string, details: Record<string, unknown>): AuditDraft {
    return { atMs: this.#parts.clock.nowMs(), actor, action, target: this.#service, why, details }
  }
}
