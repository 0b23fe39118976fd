import { AppError, fail, ok, type Result } from '../../../base/index.ts'
import { type Release } from '../../../contract/index.ts'
import { audited, type AuditDraft } from '../../audit/index.ts'
import { compactBins, type EvidenceChange, type JudgeMemory } from '../../canary/index.ts'
import { within } from '../../core/index.ts'
import { apply, replay } from '../apply.ts'
import type { DeploymentEvent } from '../events.ts'
import type { SteeringStores, StoredEvent } from '../ports.ts'
import { recordAfter } from '../record.ts'
import { newServiceRecord, type ServiceRecord } from '../service-record.ts'
import { hasEnded, isGoingBack, type DeploymentState } from '../state.ts'
import { deploymentView, queuePlace } from '../view.ts'
import { answerWithinMs, type PipelineParts } from './parts.ts'

/** Width of a bin of stored evidence, ms. */
const evidenceBinMs = 10_000

export interface Entry {
  deploymentId: string
  event: DeploymentEvent
  /** Time watched since the deployment's last event, ms. */
  elapsedMs?: number
}

/** What the unit of work of a service's loop takes. */
type Change = Parameters<SteeringStores['work']['commit']>[0][number]

export interface Append {
  entries?: readonly Entry[]
  /** Changes of the service itself, beside those that follow from events. */
  record?: Partial<Pick<ServiceRecord, 'automationStopped' | 'stableReleaseId' | 'instances' | 'scaling'>>
  releases?: readonly Release[]
  evidence?: Omit<EvidenceChange, 'kind'> | null
  audit?: readonly AuditDraft[]
  /**
   * Leads to safety: it counts at once even where it cannot be stored, and is stored as soon as it can be. Anything else that is
   * not on disk has not happened.
   */
  isUrgent?: boolean
}

interface Evidence {
  memory: JudgeMemory | null
  cursor: string | null
}

/** What a service is known to be, and the only way to change it: through the store. */
export class DeploymentJournal {
  readonly #parts: PipelineParts
  #record: ServiceRecord
  #open = new Map<string, DeploymentState>()
  #evidence = new Map<string, Evidence>()
  #releases = new Map<string, Release>()
  /** In memory, not yet on disk; oldest first. */
  #unsaved: Unsaved[] = []
  #storeTrouble = ''
  /** The last write failed: it may have got through all the same. */
  #isDoubtful = false

  constructor(parts: PipelineParts, service: string) {
    this.#parts = parts
    this.#record = newServiceRecord(service)
  }

  get record(): ServiceRecord {
    return this.#record
  }

  /** Deployments that have not ended: the one that moves, then those that wait, oldest first. */
  get open(): readonly DeploymentState[] {
    const all = [...this.#open.values()]
    const isWaiting = ({ stage }: DeploymentState) => stage.kind === 'queued'
    return [...all.filter((state) => !isWaiting(state)), ...all.filter(isWaiting)]
  }

  get active(): DeploymentState | null {
    return this.open[0] ?? null
  }

  /** Why nothing can be stored: a sentence, or empty. */
  get storeTrouble(): string {
    return this.#storeTrouble
  }

  /** All that is known here is what the store was last seen to hold. */
  get isSettled(): boolean {
    return !this.#isDoubtful
  }

  evidenceOf(deploymentId: string): Evidence {
    return this.#evidence.get(deploymentId) ?? { memory: null, cursor: null }
  }

  /** Forgets everything and takes what the store holds. */
  async load(): Promise<Result<void>> {
    const { name } = this.#record
    const { services, deployments } = this.#parts.stores
    const record = await this.#ask(() => services.find(name))
    if (!record.ok) return record
    const open = await this.#ask(() => deployments.openOf(name))
    if (!open.ok) return open
    this.#unsaved = []
    this.#isDoubtful = false
    this.#open.clear()
    this.#evidence.clear()
    this.#record = record.value ?? newServiceRecord(name)
    for (const { events, memory, cursor } of open.value) {
      const state = replay(events)
      this.#open.set(state.id, state)
      this.#evidence.set(state.id, { memory, cursor })
    }
    const needed = [
      this.#record.stableReleaseId,
      ...this.open.flatMap(({ candidateReleaseId, stableReleaseId }) => [
        candidateReleaseId,
        stableReleaseId,
      ]),
    ]
    for (const id of needed) if (id !== null) await this.release(id)
    return ok(undefined)
  }

  /** From memory where it has been needed before: a locked store must not keep a stable release from running. */
  async release(id: string): Promise<Result<Release>> {
    const known = this.#releases.get(id)
    if (known) return ok(known)
    const found = await this.#ask(() => this.#parts.stores.releases.find(this.#record.name, id))
    if (found.ok) this.#releases.set(id, found.value)
    return found
  }

  /**
   * Makes it so: stored first, then known. A failure leaves everything as it was, unless it is urgent, and in doubt: it
   * may have got through, or another engine may have written. `settle` finds out.
   */
  async append(append: Append): Promise<Result<void>> {
    const staged = this.#stage(append)
    const unsaved = [...this.#unsaved, { append, changes: staged.changes }]
    const stored = await this.#store(unsaved)
    if (stored.ok) {
      this.#adopt(staged)
      return stored
    }
    if (!append.isUrgent) return stored
    this.#unsaved = unsaved
    this.#adopt(staged)
    return ok(undefined)
  }

  /**
   * Leaves no doubt behind: stores what counts already, and after a write that failed looks at what the store holds. To be
   * called before anything is decided. While the store does not answer, what is known goes on: nothing new begins without it.
   */
  async settle(): Promise<void> {
    if (!this.#isDoubtful) return
    if (this.#unsaved.length === 0) await this.load()
    else {
      const stored = await this.#store(this.#unsaved)
      if (!stored.ok && stored.error.code === 'CONFLICT') await this.#startOver(this.#unsaved)
    }
  }

  async #store(unsaved: readonly Unsaved[]): Promise<Result<void>> {
    const changes = newestOf(unsaved.flatMap((each) => each.changes))
    const stored = await this.#ask(() => this.#parts.stores.work.commit(changes))
    this.#isDoubtful = !stored.ok
    if (stored.ok) this.#unsaved = []
    return stored
  }

  /** The store knows more than this journal did: what counts already is said again of what it holds. */
  async #startOver(unsaved: readonly Unsaved[]): Promise<Result<void>> {
    const loaded = await this.load()
    if (!loaded.ok) return loaded
    for (const { append } of unsaved) {
      const again = await this.append({
        ...append,
        entries: this.#stillTrue(append.entries ?? []),
        evidence: null,
      })
      if (!again.ok) return again
    }
    return loaded
  }

  /** Rollbacks that the store does not know of yet. What follows from them follows again. */
  #stillTrue(entries: readonly Entry[]): Entry[] {
    return entries.filter(({ deploymentId, event }) => {
      const state = this.#open.get(deploymentId)
      return event.kind === 'rollbackStarted' && state !== undefined && !isGoingBack(state)
    })
  }

  #stage({ entries = [], record: change, releases = [], evidence, audit = [] }: Append): Staged {
    const { clock } = this.#parts
    const atMs = clock.nowMs()
    const states = new Map(this.#open)
    let record = this.#record
    const events: StoredEvent[] = []
    const touched = new Set<string>()
    for (const { deploymentId, event, elapsedMs = 0 } of entries) {
      const before = states.get(deploymentId) ?? null
      const stored: StoredEvent = { deploymentId, seq: (before?.seq ?? 0) + 1, atMs, elapsedMs, event }
      record = recordAfter(record, before, event)
      states.set(deploymentId, apply(before, stored))
      events.push(stored)
      touched.add(deploymentId)
    }
    if (change) record = { ...record, ...change, revision: record.revision + 1 }
    const deployments = [...touched].flatMap((id) => {
      const state = states.get(id)
      if (!state) return []
      const isStopped = record.automationStopped !== null
      return [deploymentView(state, queuePlace(state, [...states.values()], { isStopped, isCrowded: false }))]
    })
    const changes: Change[] = [
      ...events.map((event) => ({ kind: 'addEvent' as const, event })),
      ...deployments.map((deployment) => ({ kind: 'putDeployment' as const, deployment })),
      ...(record === this.#record ? [] : [{ kind: 'putService' as const, service: record }]),
      ...releases.map((release) => ({ kind: 'addRelease' as const, release })),
      ...audited(audit),
    ]
    if (evidence)
      changes.push({ ...evidence, kind: 'addEvidence', bins: compactBins(evidence.bins, evidenceBinMs) })
    return { changes, states, record }
  }

  #adopt({ changes, states, record }: Staged): void {
    this.#record = record
    this.#open = new Map([...states].filter(([, state]) => !hasEnded(state)))
    for (const change of changes) {
      if (change.kind === 'addRelease') this.#releases.set(change.release.id, change.release)
      if (change.kind !== 'addEvidence') continue
      const { deploymentId, memory, cursor } = change
      this.#evidence.set(deploymentId, { memory, cursor })
    }
    for (const id of this.#evidence.keys()) if (!this.#open.has(id)) this.#evidence.delete(id)
  }

  async #ask<T>(call: () => Promise<Result<T>>): Promise<Result<T>> {
    const answer = await within(this.#parts.clock, answerWithinMs, 'the state database', call)
    this.#storeTrouble = answer.ok || isAnswer(answer.error) ? '' : answer.error.message
    return answer
  }
}

interface Unsaved {
  append: Append
  changes: readonly Change[]
}

interface Staged {
  changes: readonly Change[]
  states: Map<string, DeploymentState>
  record: ServiceRecord
}

const isAnswer = ({ code }: AppError): boolean => code === 'CONFLICT' || code === 'NOT_FOUND'

/** One transaction of several: of a deployment or service that occurs twice the newer form counts. */
function newestOf(changes: readonly Change[]): Change[] {
  const last = new Map(changes.map((change, index) => [keyOf(change) ?? index, index]))
  return changes.filter((change, index) => last.get(keyOf(change) ?? index) === index)
}

/** Null for what is added: each of them counts. */
function keyOf(change: Change): string | null {
  if (change.kind === 'putDeployment') return `deployment ${change.deployment.id}`
  return change.kind === 'putService' ? `service ${change.service.name}` : null
}

/** For callers that need a deployment which may have ended meanwhile. */
export const gone = (id: string): Result<never> =>
  fail(new AppError('NOT_FOUND', `Deployment ${id} is not in progress`))
