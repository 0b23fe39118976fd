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
  /** Watched time since the deployment's last event, ms. */
  elapsedMs?: number
}

/** The changes that a service's loop stores. */
type Change = Parameters<SteeringStores['work']['commit']>[0][number]

export interface Append {
  entries?: readonly Entry[]
  /** Changes of the service itself, in addition to those that follow from events. */
  record?: Partial<Pick<ServiceRecord, 'automationStopped' | 'stableReleaseId' | 'instances' | 'scaling'>>
  releases?: readonly Release[]
  evidence?: Omit<EvidenceChange, 'kind'> | null
  audit?: readonly AuditDraft[]
  /**
   * Whether it leads to safety. Such a change applies at once even if it cannot be stored, and is stored as soon as
   * possible. Any other change that is not on disk has not happened.
   */
  isUrgent?: boolean
}

interface Evidence {
  memory: JudgeMemory | null
  cursor: string | null
}

/** The known state of a service, and the only way to change it: through the store. */
export class DeploymentJournal {
  readonly #parts: PipelineParts
  #record: ServiceRecord
  #open = new Map<string, DeploymentState>()
  #evidence = new Map<string, Evidence>()
  #releases = new Map<string, Release>()
  /** Changes in memory that are not on disk yet, oldest first. */
  #unsaved: Unsaved[] = []
  #storeTrouble = ''
  /** The last write failed, but may have reached the disk all the same. */
  #isDoubtful = false

  constructor(parts: PipelineParts, service: string) {
    this.#parts = parts
    this.#record = newServiceRecord(service)
  }

  get record(): ServiceRecord {
    return this.#record
  }

  /** Deployments that have not ended: the active one, then those that wait, oldest first. */
  get open(): readonly DeploymentState[] {
    const all = [...this.#open.values()]
    const isWaiting = ({ stage }: DeploymentState) => stage.kind === 'queued'
    return [...all.filter((state) => !isWaiting(state)), ...all.filter(isWaiting)]
  }

  get active(): DeploymentState | null {
    return this.open[0] ?? null
  }

  /** Why nothing can be stored, as a sentence; empty when it can. */
  get storeTrouble(): string {
    return this.#storeTrouble
  }

  /** Whether everything known here is what the store was last seen to hold. */
  get isSettled(): boolean {
    return !this.#isDoubtful
  }

  evidenceOf(deploymentId: string): Evidence {
    return this.#evidence.get(deploymentId) ?? { memory: null, cursor: null }
  }

  /** Replaces everything by what the store holds. */
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

  /** Reads from memory what was needed before: a locked store must not stop a stable release from running. */
  async release(id: string): Promise<Result<Release>> {
    const known = this.#releases.get(id)
    if (known) return ok(known)
    const found = await this.#ask(() => this.#parts.stores.releases.find(this.#record.name, id))
    if (found.ok) this.#releases.set(id, found.value)
    return found
  }

  /**
   * Applies changes: stores them first, then knows them. A failure leaves everything as it was, unless a change is
   * urgent, and in doubt: the write may have succeeded, or another engine may have written. `settle` finds out.
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
   * Resolves doubt: stores what already applies and, after a failed write, reads what the store holds. Call it before
   * each decision. While the store does not answer, what is known stays in use and nothing new starts.
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

  /** The store is ahead of this journal: changes that already apply are made again on top of what it holds. */
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

  /** Repeats rollbacks that the store does not know yet; what follows from them follows again. */
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

/** Merges several transactions into one. Of a deployment or service that occurs twice, the newer form counts. */
function newestOf(changes: readonly Change[]): Change[] {
  const last = new Map(changes.map((change, index) => [keyOf(change) ?? index, index]))
  return changes.filter((change, index) => last.get(keyOf(change) ?? index) === index)
}

/** The key under which a change replaces another; null for additions, which all count. */
function keyOf(change: Change): string | null {
  if (change.kind === 'putDeployment') return `deployment ${change.deployment.id}`
  return change.kind === 'putService' ? `service ${change.service.name}` : null
}

/** The failure for a deployment that may have ended meanwhile. */
export const gone = (id: string): Result<never> =>
  fail(new AppError('NOT_FOUND', `Deployment ${id} is not in progress`))
