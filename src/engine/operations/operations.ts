import type {
  AuditEntry,
  Bin,
  Comparison,
  Deployment,
  LogLine,
  Plan,
  PlanOptions,
  Release,
  RollbackOutcome,
  ServiceState,
  Validation,
} from '../../contract/index.ts'
import { AppError, fail, ok, type LiveStore, type Result, type Supervisor } from '../core/index.ts'
import {
  Fleet,
  type Command,
  type Declaration,
  type DeploymentFilter,
  type PipelineParts,
  type Seen,
  type ServiceView,
} from '../deployments/index.ts'
import type { NoticeBoard } from '../journal/index.ts'
import { exportAudit, verifyAudit, type AuditVerdict } from './audit-log.ts'
import { compareReleases } from './compare.ts'
import { Declarations, declaredConfigs, type DeclareRequest } from './declarations.ts'
import { LiveDeployments } from './live-deployments.ts'
import { storeReleases } from './releases.ts'
import { shownDeclaration, shownDeployment, shownPlan } from './shown-plan.ts'
import { Roster, type Configured, type Equip, type OperatedService } from './roster.ts'

export interface OperationsParts extends PipelineParts {
  live: LiveStore
  notices: NoticeBoard
  environment: string
  /** As the config has them at the start. */
  configured: Configured
  /** As stored. */
  declared: readonly Declaration[]
  equip: Equip
}

export interface StartRequest {
  service: string
  releaseId: string
  options: PlanOptions
  why: string
}

/** Who asks for it, why, and what that person saw. */
export interface Asked extends Seen {
  by: string
  why: string
}

/** Deployments that may move at the same time, over all services. */
const mostAtOnce = 100
const rehearsalLimitMs = 300_000

/** Everything a person can see of and do to services and deployments, over the fleet that steers them. */
export class Operations implements Disposable {
  readonly #parts: OperationsParts
  readonly #fleet: Fleet
  readonly #roster: Roster
  readonly #declarations: Declarations
  readonly #views = new Map<string, ServiceView>()
  readonly #deployments: LiveDeployments

  constructor(parts: OperationsParts) {
    this.#parts = parts
    this.#deployments = new LiveDeployments(parts)
    const warn = (text: string) => void parts.notices.post({ severity: 'warning', text, link: '/services' })
    this.#fleet = new Fleet(parts, [], {
      mostAtOnce,
      changed: (view) => {
        const { name } = view.record
        this.#views.set(name, view)
        this.#show(name)
        if (view.open.length === 0) this.#roster.settle(name)
      },
    })
    const { configured, declared, equip } = parts
    this.#roster = new Roster(
      {
        ...parts,
        fleet: this.#fleet,
        isMoving: (service) => (this.#views.get(service)?.open.length ?? 0) > 0,
        counted: (service) => this.#show(service),
        dropped: (service) => this.#drop(service),
      },
      configured,
      declaredConfigs(declared, warn),
    )
    this.#declarations = new Declarations({ ...parts, equip, roster: this.#roster, warn }, declared)
  }

  /** Keeps the releases that the config names, so that none is missing when the first command comes. */
  prepare(): Promise<void> {
    return this.#storeReleases(this.#parts.configured)
  }

  /** Takes up the services, with loops that `supervisor` keeps alive. */
  begin(supervisor: Supervisor): void {
    this.#roster.start(supervisor)
    this.#declarations.start()
  }

  /** Whether there is anything to run or to end. */
  get hasServices(): boolean {
    return this.#roster.names.length > 0 || this.#declarations.isLeaving
  }

  /** What is operated under this name. */
  find(name: string): OperatedService | undefined {
    return this.#roster.find(name)
  }

  /** Takes a changed config into use. */
  async configure(configured: Configured): Promise<void> {
    await this.#storeReleases(configured)
    await this.#roster.configure(configured)
  }

  [Symbol.dispose](): void {
    this.#declarations[Symbol.dispose]()
    this.#fleet[Symbol.dispose]()
  }

  services(): ServiceState[] {
    return this.#roster.names.flatMap((name) => this.#parts.live.get(`service:${name}`) ?? [])
  }

  async declare(request: DeclareRequest): Promise<Result<Declaration>> {
    const declared = await this.#declarations.declare(request)
    return declared.ok ? ok(shownDeclaration(declared.value)) : declared
  }

  /** As it was written, but for what may be secret; put back as it is, it stays what it was. */
  declaration(service: string): Result<Declaration> {
    const found = this.#declarations.find(service)
    if (found) return ok(shownDeclaration(found))
    const text = this.#roster.isConfigured(service)
      ? `${service} stands in the configuration file.`
      : `There is no service "${service}".`
    return fail(new AppError('NOT_FOUND', text, { details: { service } }))
  }

  remove(service: string, by: string, why: string): Promise<Result<void>> {
    return this.#declarations.remove(service, by, why)
  }

  async logs(request: {
    service: string
    releaseId?: string
    instanceId?: string
    lines: number
  }): Promise<Result<LogLine[]>> {
    const found = this.#find(request.service)
    return found.ok ? found.value.target.logs(request) : found
  }

  bins(service: string, fromMs: number): Result<Bin[]> {
    const found = this.#find(service)
    return found.ok ? ok(this.#roster.watch(service)?.since(fromMs) ?? []) : found
  }

  async resume(
    service: string,
    { by, why, expectedRevision }: Omit<Asked, 'supersedes'>,
  ): Promise<Result<ServiceState>> {
    const resumed = await this.#fleet.resumeAutomation(service, by, why, expectedRevision)
    if (!resumed.ok) return resumed
    const state = this.#parts.live.get(`service:${service}`)
    return state ? ok(state) : fail(new AppError('UNAVAILABLE', `${service} has not been looked at yet.`))
  }

  releases(service: string, limit: number): Promise<Result<Release[]>> {
    return this.#parts.store.releases(service, limit)
  }

  async createRelease(
    draft: Omit<Release, 'createdAtMs' | 'createdBy'>,
    by: string,
  ): Promise<Result<Release>> {
    const release: Release = { ...draft, createdAtMs: this.#parts.clock.nowMs(), createdBy: by }
    const added = await this.#fleet.addRelease(release)
    return added.ok ? this.#parts.store.release(release.service, release.id) : added
  }

  async compare(service: string, fromId: string, toId: string): Promise<Result<Comparison>> {
    const { store } = this.#parts
    const from = await store.release(service, fromId)
    if (!from.ok) return from
    const to = await store.release(service, toId)
    if (!to.ok) return to
    const fromBins = await this.#evidenceOf(service, fromId)
    if (!fromBins.ok) return fromBins
    const toBins = await this.#evidenceOf(service, toId)
    if (!toBins.ok) return toBins
    return ok(compareReleases(from.value, to.value, { from: fromBins.value, to: toBins.value }))
  }

  async deployments(filter: DeploymentFilter): Promise<Result<Deployment[]>> {
    const found = await this.#parts.store.deployments(filter)
    return found.ok ? ok(found.value.map(shownDeployment)) : found
  }

  async deployment(id: string): Promise<Result<Deployment>> {
    const live = this.#parts.live.get(`deployment:${id}`)
    return live ? ok(live) : this.#stored(id)
  }

  deploymentBins(id: string): Promise<Result<Bin[]>> {
    return this.#parts.store.bins(id)
  }

  /** The plan and what the checks say; nothing moves and nothing is kept. */
  async rehearse({
    service,
    releaseId,
    options,
    supersedes,
  }: StartRequest & Pick<Seen, 'supersedes'>): Promise<
    Result<{ plan: Plan; stableReleaseId: string | null; validation: Validation }>
  > {
    const found = this.#find(service)
    if (!found.ok) return found
    const plan = await this.#fleet.plan(service, [...found.value.deployOptions, options])
    if (!plan.ok) return plan
    const release = await this.#parts.store.release(service, releaseId)
    if (!release.ok) return release
    const stableReleaseId = this.#views.get(service)?.record.stableReleaseId ?? null
    const deadline = new AbortController()
    using _timer = this.#parts.clock.after(rehearsalLimitMs, () => deadline.abort())
    const validation = await this.#parts.validator.validate(
      { deploymentId: supersedes ?? '', service, release: release.value, stableReleaseId, plan: plan.value },
      deadline.signal,
    )
    return validation.ok
      ? ok({ plan: shownPlan(plan.value), stableReleaseId, validation: validation.value })
      : validation
  }

  async start({ service, releaseId, options }: StartRequest, asked: Asked): Promise<Result<Deployment>> {
    const found = this.#find(service)
    if (!found.ok) return found
    return this.#shown(
      await this.#fleet.deploy({
        service,
        releaseId,
        options: [...found.value.deployOptions, options],
        ...asked,
      }),
    )
  }

  async command(id: string, command: Command): Promise<Result<Deployment>> {
    const done = await this.#fleet.command(id, command)
    return done.ok ? this.#shown(ok(id)) : done
  }

  async retry(id: string, asked: Asked): Promise<Result<Deployment>> {
    return this.#shown(await this.#fleet.retry(id, asked))
  }

  async undo(request: Asked & { service: string; releaseId?: string }): Promise<Result<Deployment>> {
    return this.#shown(await this.#fleet.undo(request))
  }

  /** All traffic to the stable release, of the named services or of every one with a candidate. */
  emergency(services: readonly string[] | undefined, by: string, why: string): Promise<RollbackOutcome[]> {
    return this.#fleet.emergency(services ?? 'all', by, why)
  }

  audit(filter: Parameters<OperationsParts['store']['audit']>[0]): Promise<Result<AuditEntry[]>> {
    return this.#parts.store.audit(filter)
  }

  verifyAudit(): Promise<Result<AuditVerdict>> {
    return verifyAudit(this.#parts.store)
  }

  exportAudit(
    format: 'jsonl' | 'csv',
    fromMs?: number,
    toMs?: number,
  ): Promise<Result<{ name: string; text: string }>> {
    return exportAudit(this.#parts.store, format, fromMs, toMs)
  }

  #find(name: string): Result<OperatedService> {
    const found = this.#roster.find(name)
    const known = this.#roster.names.join(', ')
    return found
      ? ok(found)
      : fail(
          new AppError('NOT_FOUND', `There is no service "${name}"; configured are: ${known || 'none'}.`, {
            details: { service: name },
          }),
        )
  }

  /** The deployment as it stands; the fleet has just stored it. */
  async #shown(id: Result<string>): Promise<Result<Deployment>> {
    return id.ok ? this.#stored(id.value) : id
  }

  async #stored(id: string): Promise<Result<Deployment>> {
    const found = await this.#parts.store.deployment(id)
    return found.ok ? ok(shownDeployment(found.value)) : found
  }

  /** Counts of the newest deployment in which a release had traffic. */
  async #evidenceOf(service: string, releaseId: string): Promise<Result<Bin[]>> {
    const found = await this.#parts.store.deployments({ service, releaseId, limit: 5 })
    if (!found.ok) return found
    for (const { id } of found.value) {
      const bins = await this.#parts.store.bins(id)
      if (!bins.ok) return bins
      if (bins.value.some((bin) => bin.releaseId === releaseId && bin.requests > 0)) return bins
    }
    return ok([])
  }

  /** Puts what changed of a service among the live records. */
  #show(name: string): void {
    const view = this.#views.get(name)
    const service = this.#roster.find(name)
    const watch = this.#roster.watch(name)
    if (!view || !service || !watch) return
    const { live, clock, environment } = this.#parts
    const nowMs = clock.nowMs()
    const [active] = view.open
    live.put(`service:${name}`, {
      name,
      origin: service.origin,
      environment,
      target: service.definition.target,
      router: service.definition.router,
      address: watch.address,
      stableReleaseId: view.record.stableReleaseId,
      candidateReleaseId: active?.candidateReleaseId ?? null,
      deploymentId: active?.id ?? null,
      weights: view.router?.weights ?? {},
      instances: [...(view.target?.instances ?? [])],
      sli: watch.slis(nowMs),
      failures: view.record.stableReleaseId ? watch.failures(view.record.stableReleaseId, nowMs) : null,
      automationStopped: view.record.automationStopped,
      maxErrorRatio: service.maxErrorRatio,
      trouble: view.trouble,
      revision: view.record.revision,
      updatedAtMs: nowMs,
    })
    this.#deployments.show(name, view.open, nowMs)
  }

  /** It is steered no longer: nothing of it is live any more. */
  #drop(name: string): void {
    const { live, notices } = this.#parts
    const view = this.#views.get(name)
    this.#views.delete(name)
    live.remove(`service:${name}`)
    this.#deployments.drop(name)
    const stable = view?.record.stableReleaseId
    if (!stable || this.#declarations.find(name)) return
    const text = `${name} is not configured any more: ${stable} serves on, and nobody steers it. Put it back, or end it: pilothouse services ${name} remove`
    notices.post({ severity: 'warning', text, link: '/services' })
  }

  async #storeReleases({ services }: Configured): Promise<void> {
    const stored = await storeReleases(services, this.#parts)
    if (!stored.ok)
      this.#parts.notices.post({ severity: 'warning', text: stored.error.message, link: '/settings' })
  }
}
