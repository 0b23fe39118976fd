import {
  releaseChange,
  type CallClient,
  type Deployment,
  type Release,
  type ServiceState,
} from '../../../contract/index.ts'
import { Resource } from '../../state/resource.svelte.ts'
import { hasEnded } from '../../state/service-records.ts'
import { Submission } from '../../state/submission.svelte.ts'
import { draftMistake, newDraft, optionsOf } from './plan-draft.ts'

type Rehearsal = Awaited<ReturnType<CallClient['deployments']['rehearse']>>

/** Who is at it already, as the person saw it: an order on another state of things is refused. */
interface Seen {
  expectedRevision: number | null
  superseded: Deployment | undefined
}

export interface DeploymentFormPorts {
  calls(): Pick<CallClient, 'releases' | 'deployments'>
  services(): readonly ServiceState[]
  deployments(): readonly Deployment[]
  /** What the address names; null where it names nothing. */
  chosen(name: 'service' | 'release'): string | null
}

/**
 * A deployment that a person prepares: what and how, then its plan and checks, then the order. Nothing moves before that.
 * Plan and checks hold for what they were asked for alone: another choice takes them away.
 */
export class DeploymentForm implements Disposable {
  /** Bound to the fields. */
  draft = $state(newDraft())
  why = $state('')
  readonly releases: Resource<string, readonly Release[]>
  #ports: DeploymentFormPorts
  #submission = new Submission()
  /** What was asked for last. */
  #asked = $state('')
  #rehearsed = $state.raw<{ wish: string; rehearsal: Rehearsal; seen: Seen }>()

  constructor(ports: DeploymentFormPorts) {
    this.#ports = ports
    this.releases = new Resource(async (service) => ports.calls().releases.list({ service, limit: 200 }))
  }

  /** Names, for the choice. */
  get services(): string[] {
    return this.#ports
      .services()
      .map(({ name }) => name)
      .toSorted()
  }
  /** The chosen one, or the only one; empty without. */
  get service(): string {
    const { services } = this
    return this.#ports.chosen('service') ?? (services.length === 1 ? services[0] : '') ?? ''
  }
  get releaseId(): string {
    return this.#ports.chosen('release') ?? ''
  }
  get stableReleaseId(): string | null {
    return this.#present?.stableReleaseId ?? null
  }
  /** Releases that could be deployed; undefined while the engine has not said. */
  get offered(): readonly Release[] | undefined {
    return this.releases.value?.filter(({ id }) => id !== this.stableReleaseId)
  }
  /** What is wrong with the draft; empty when nothing is. */
  get mistake(): string {
    return draftMistake(this.draft)
  }
  /** Plan and checks may be asked for. The address may name a release before the engine has listed it. */
  get isComplete(): boolean {
    const isOffered = this.offered?.some(({ id }) => id === this.releaseId) ?? false
    return this.#present !== undefined && isOffered && this.mistake === ''
  }
  /** Plan and checks of what is chosen now. */
  get rehearsal(): Rehearsal | undefined {
    return this.#current?.rehearsal
  }
  /** The deployment that this one rolls back first. */
  get superseded(): Deployment | undefined {
    return this.#current?.seen.superseded
  }
  get canStart(): boolean {
    return this.rehearsal?.validation.canDeploy ?? false
  }
  /** Service and releases, for headings and buttons. */
  get target(): string {
    const stableReleaseId = this.rehearsal?.stableReleaseId ?? null
    return `${this.service}: ${releaseChange({ stableReleaseId, candidateReleaseId: this.releaseId })}`
  }
  get isBusy(): boolean {
    return this.#isOfInterest && this.#submission.isBusy
  }
  get failure() {
    return (this.#isOfInterest ? this.#submission.failure : undefined) ?? this.releases.failure
  }

  /** Asks for plan and checks of what is chosen. */
  async rehearse(): Promise<void> {
    if (!this.isComplete || this.isBusy) return
    const seen: Seen = {
      expectedRevision: this.#present?.revision ?? null,
      superseded: this.#inTheWay,
    }
    const wish = this.#wish
    const rehearsal = await this.#submit(() => this.#ports.calls().deployments.rehearse(this.#input(seen)))
    if (rehearsal) this.#rehearsed = { wish, rehearsal, seen }
  }

  /** Starts what plan and checks were shown for; the deployment, unless it failed or something else is chosen by now. */
  async start(): Promise<Deployment | undefined> {
    const current = this.#current
    if (!current || !this.canStart || this.isBusy) return undefined
    const { wish } = current
    const started = await this.#submit(() => this.#ports.calls().deployments.start(this.#input(current.seen)))
    return wish === this.#wish ? started : undefined
  }

  /** Back from plan and checks to the choice. */
  back(): void {
    this.#submission.drop()
    this.#rehearsed = undefined
  }

  /** Forgets what was filled in: the next one begins anew. */
  reset(): void {
    this.back()
    this.draft = newDraft()
    this.why = ''
  }

  [Symbol.dispose](): void {
    this.#submission.drop()
  }

  get #present(): ServiceState | undefined {
    return this.#ports.services().find(({ name }) => name === this.service)
  }
  get #inTheWay(): Deployment | undefined {
    const isInTheWay = (each: Deployment) =>
      each.service === this.service && !hasEnded(each) && each.phase !== 'rolling_back' && each.weight < 100
    return this.#ports.deployments().find(isInTheWay)
  }
  /** What plan and checks depend on. */
  get #wish(): string {
    return JSON.stringify([this.service, this.releaseId, optionsOf(this.draft)])
  }
  get #current() {
    return this.#rehearsed?.wish === this.#wish ? this.#rehearsed : undefined
  }
  get #isOfInterest(): boolean {
    return this.#asked === this.#wish
  }

  async #submit<Answer>(order: () => Promise<Answer>): Promise<Answer | undefined> {
    if (!this.#isOfInterest) this.#submission.drop()
    this.#asked = this.#wish
    return this.#submission.run(order)
  }

  #input({ expectedRevision, superseded }: Seen) {
    return {
      service: this.service,
      releaseId: this.releaseId,
      options: optionsOf(this.draft),
      expectedRevision,
      supersedes: superseded?.id ?? null,
      why: this.why,
    }
  }
}
