import { isAbsolute } from 'node:path'
import { AppError, fail, ok, type Result } from '../../base/index.ts'
import {
  attempts,
  runsAsText,
  type AuditEntry,
  type Bin,
  type Comparison,
  type Deployment,
  type LogLine,
  type Plan,
  type PlanOptions,
  type Release,
  type RollbackOutcome,
  type ServiceState,
  type Validation,
} from '../../contract/index.ts'
import type { AccountCheck } from '../config/index.ts'
import { within, type LiveStore, type Supervisor } from '../core/index.ts'
import {
  DeploymentController,
  type Command,
  type Declaration,
  type DeploymentFilter,
  type PipelineParts,
  type Seen,
  type ServiceView,
} from '../deployments/index.ts'
import type { NoticeBoard } from '../journal/index.ts'
import { changedReleaseRemedy, serviceChanges, serviceConcerns, type Told } from '../services/index.ts'
import { RefusalLog, type Anchor, type Refusal } from '../audit/index.ts'
import { exportAudit, verifyAudit, type AuditVerdict } from './audit-log.ts'
import { compareReleases } from './compare.ts'
import { Declarations, declaredConfigs, type DeclareRequest } from './declarations.ts'
import { LiveDeployments } from './live-deployments.ts'
import { namesOf, storeReleases, type ChangedRelease } from './releases.ts'
import { shownDeclaration, shownDeployment, shownPlan } from './shown-plan.ts'
import { Roster, type Configured, type Equip, type OperatedService, type Origin } from './roster.ts'

export interface OperationsParts extends PipelineParts {
  live: LiveStore
  notices: NoticeBoard
  environment: string
  /** As the config has them at the start. */
  configured: Configured
  /** As stored. */
  declared: readonly Declaration[]
  equip: Equip
  /** Why programs cannot run as a user and group; left out: not judged. */
  accountProblem?: AccountCheck | undefined
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
/** How long an answer of router or target is waited for. */
const answerWithinMs = 5000
const rehearsalLimitMs = 300_000
const nothing = { events: [], deployments: [], services: [], releases: [], evidence: [] }

/** Everything a person can see of and do to services and deployments, over the deployment controller. */
export class Operations implements Disposable {
  readonly #parts: OperationsParts
  readonly #controller: DeploymentController
  readonly #roster: Roster
  readonly #declarations: Declarations
  readonly #views = new Map<string, ServiceView>()
  readonly #deployments: LiveDeployments
  readonly #told = new Map<string, Told>()
  /** Releases that the config describes otherwise than they are on record. */
  #changed: readonly ChangedRelease[] = []
  readonly #refusals: RefusalLog
  #environment: string

  constructor(parts: OperationsParts) {
    this.#parts = parts
    this.#environment = parts.environment
    this.#deployments = new LiveDeployments(parts)
    this.#refusals = new RefusalLog({
      ...parts,
      append: (audit) =>
        within(parts.clock, answerWithinMs, 'the state database', () =>
          parts.store.commit({ ...nothing, audit }),
        ),
    })
    const warn = (text: string) => void parts.notices.post({ severity: 'warning', text, link: '/services' })
    this.#controller = new DeploymentController(parts, [], {
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
        controller: this.#controller,
        isMoving: (service) => (this.#views.get(service)?.open.length ?? 0) > 0,
        counted: (service) => this.#show(service),
        dropped: (service) => this.#drop(service),
        sized: (service, instances, origin) => this.#size(service, instances, origin),
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

  /** What the services belong to from now on. */
  setEnvironment(environment: string): void {
    this.#environment = environment
    for (const name of this.#roster.names) this.#show(name)
  }

  /** Takes a changed config into use. */
  async configure(configured: Configured): Promise<void> {
    await this.#storeReleases(configured)
    await this.#roster.configure(configured)
  }

  [Symbol.dispose](): void {
    this.#declarations[Symbol.dispose]()
    this.#controller[Symbol.dispose]()
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
      ? `${service} is defined in the configuration file.`
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

  /** Restarts instances one at a time, and gives them in their order. The order is on record before it is given. */
  async restart(
    { service, ...which }: { service: string; releaseId?: string; instanceId?: string },
    by: string,
    why: string,
  ): Promise<Result<string[]>> {
    const found = this.#find(service)
    if (!found.ok) return found
    const { store, clock } = this.#parts
    const entry = {
      atMs: clock.nowMs(),
      actor: by,
      action: 'services.restart',
      target: service,
      why,
      details: which,
    }
    const stored = await store.commit({ ...nothing, audit: [entry] })
    if (!stored.ok) return stored
    const restarted = await within(clock, answerWithinMs, `the target of ${service}`, () =>
      found.value.target.restart({ service, ...which, by }),
    )
    return restarted.ok ? ok(restarted.value.instanceIds) : restarted
  }

  bins(service: string, fromMs: number, stepMs?: number): Result<Bin[]> {
    const found = this.#find(service)
    return found.ok ? ok(this.#roster.watch(service)?.since(fromMs, stepMs) ?? []) : found
  }

  async resume(
    service: string,
    { by, why, expectedRevision }: Omit<Asked, 'supersedes'>,
  ): Promise<Result<ServiceState>> {
    const resumed = await this.#controller.resumeAutomation(service, by, why, expectedRevision)
    if (!resumed.ok) return resumed
    const state = this.#parts.live.get(`service:${service}`)
    return state ? ok(state) : fail(new AppError('UNAVAILABLE', `${service} has no state yet.`))
  }

  releases(service: string, limit: number): Promise<Result<Release[]>> {
    return this.#parts.store.releases(service, limit)
  }

  async createRelease(
    draft: Omit<Release, 'createdAtMs' | 'createdBy'>,
    by: string,
  ): Promise<Result<Release>> {
    const { artifact } = draft
    if (artifact.cwd !== undefined && !isAbsolute(artifact.cwd))
      return fail(
        new AppError('BAD_INPUT', `The working directory ${artifact.cwd} must be an absolute path.`),
      )
    const directory = this.#roster.find(draft.service)?.definition.workingDirectory ?? null
    const release: Release = {
      ...draft,
      artifact: directory === null ? artifact : { cwd: directory, ...artifact },
      createdAtMs: this.#parts.clock.nowMs(),
      createdBy: by,
    }
    const added = await this.#controller.addRelease(release)
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
    Result<{
      plan: Plan
      stableReleaseId: string | null
      validation: Validation
      requestsPerSecond: number | null
      runsAs: string | null
    }>
  > {
    const found = this.#find(service)
    if (!found.ok) return found
    const plan = await this.#controller.plan(service, [...found.value.deployOptions, options])
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
      ? ok({
          plan: shownPlan(plan.value),
          stableReleaseId,
          validation: validation.value,
          requestsPerSecond:
            this.#roster.watch(service)?.requestsPerSecond(this.#parts.clock.nowMs()) ?? null,
          runsAs: runsAsText(found.value.definition),
        })
      : validation
  }

  async start({ service, releaseId, options }: StartRequest, asked: Asked): Promise<Result<Deployment>> {
    const found = this.#find(service)
    if (!found.ok) return found
    return this.#shown(
      await this.#controller.deploy({
        service,
        releaseId,
        options: [...found.value.deployOptions, options],
        ...asked,
      }),
    )
  }

  async command(id: string, command: Command): Promise<Result<Deployment>> {
    const done = await this.#controller.command(id, command)
    return done.ok ? this.#shown(ok(id)) : done
  }

  async retry(id: string, asked: Asked): Promise<Result<Deployment>> {
    return this.#shown(await this.#controller.retry(id, asked))
  }

  async undo(request: Asked & { service: string; releaseId?: string }): Promise<Result<Deployment>> {
    return this.#shown(await this.#controller.undo(request))
  }

  /** All traffic to the stable release, of the named services or of every one with a candidate. */
  emergency(services: readonly string[] | undefined, by: string, why: string): Promise<RollbackOutcome[]> {
    return this.#controller.emergency(services ?? 'all', by, why)
  }

  /** Puts a refused order on record, under the service of the deployment where it names one. */
  noteRefusal(refusal: Refusal): Promise<void> {
    const { target } = refusal
    const deployment = this.#parts.live.get(`deployment:${target}`)
    return this.#refusals.note(
      deployment ? { ...refusal, target: deployment.service, text: `${target}: ${refusal.text}` } : refusal,
    )
  }

  /** Puts on record what was only counted of refused orders. */
  flush(): Promise<void> {
    return this.#refusals.flush()
  }

  audit(filter: Parameters<OperationsParts['store']['audit']>[0]): Promise<Result<AuditEntry[]>> {
    return this.#parts.store.audit(filter)
  }

  verifyAudit(against: Anchor | null): Promise<Result<AuditVerdict>> {
    return verifyAudit(this.#parts.store, against)
  }

  exportAudit(
    format: 'jsonl' | 'csv',
    fromMs?: number,
    toMs?: number,
  ): Promise<Result<{ name: string; text: string }>> {
    return exportAudit(this.#parts.store, format, fromMs, toMs, this.#parts.clock.nowMs())
  }

  #find(name: string): Result<OperatedService> {
    const found = this.#roster.find(name)
    const known = this.#roster.names.join(', ')
    return found
      ? ok(found)
      : fail(
          new AppError('NOT_FOUND', `There is no service "${name}". Known services: ${known || 'none'}.`, {
            details: { service: name },
          }),
        )
  }

  /** The deployment as it stands; the controller has just stored it. */
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
      if (bins.value.some((bin) => bin.releaseId === releaseId && attempts(bin) > 0)) return bins
    }
    return ok([])
  }

  /** Puts what changed of a service among the live records. */
  #show(name: string): void {
    const view = this.#views.get(name)
    const service = this.#roster.find(name)
    const watch = this.#roster.watch(name)
    if (!view || !service || !watch) return
    const { live, clock } = this.#parts
    const nowMs = clock.nowMs()
    const [active] = view.open
    const { stableReleaseId, automationStopped, revision } = view.record
    const changedReleaseIds = this.#changed
      .filter(({ service: changed }) => changed === name)
      .map(({ releaseId }) => releaseId)
    const facts = {
      address: watch.address,
      stableReleaseId,
      automationStopped,
      weights: view.router?.weights ?? {},
      instances: [...(view.target?.instances ?? [])],
      failures: stableReleaseId ? watch.failures(stableReleaseId, nowMs) : null,
      latency: stableReleaseId ? watch.latency(stableReleaseId, nowMs) : null,
      maxErrorRatio: service.maxErrorRatio,
      trouble: view.trouble,
      ...(view.refusal ? { refusal: view.refusal } : {}),
      ...(view.target?.listenTrouble ? { listenTrouble: view.target.listenTrouble } : {}),
      ...(changedReleaseIds.length > 0 ? { changedReleaseIds } : {}),
      ...(view.target?.trouble ? { keepTrouble: view.target.trouble } : {}),
    }
    const before = live.get(`service:${name}`)
    const concerns = serviceConcerns(facts, nowMs, before?.concerns)
    const { changes, told } = serviceChanges(name, this.#told.get(name) ?? new Map(), concerns, nowMs)
    this.#told.set(name, told)
    for (const change of changes) this.#parts.notices.post(change)
    live.put(`service:${name}`, {
      ...facts,
      concerns,
      name,
      origin: service.origin,
      environment: this.#environment,
      target: service.definition.target,
      router: service.definition.router,
      candidateReleaseId: active?.candidateReleaseId ?? null,
      deploymentId: active?.id ?? null,
      sli: watch.slis(nowMs),
      wayBack: view.wayBack,
      revision,
      updatedAtMs: nowMs,
    })
    this.#deployments.show(name, view, nowMs)
  }

  /** Whoever changed the number of instances in its configuration, a running service follows. */
  #size(service: string, instances: number, origin: Origin): void {
    const by = origin === 'file' ? 'config' : (this.#declarations.find(service)?.by ?? 'config')
    this.#controller.declareInstances(service, { instances, by, why: 'deploy.instances was changed' })
  }

  /** It is steered no longer: nothing of it is live any more. */
  #drop(name: string): void {
    const { live, notices } = this.#parts
    const view = this.#views.get(name)
    this.#views.delete(name)
    this.#told.delete(name)
    live.remove(`service:${name}`)
    this.#deployments.drop(name)
    const stable = view?.record.stableReleaseId
    if (!stable || this.#declarations.find(name)) return
    const text = `${name} is no longer configured: ${stable} keeps serving, but nothing manages it. Add it back, or remove it: pilothouse services ${name} remove`
    notices.post({ severity: 'warning', text, link: '/services' })
  }

  async #storeReleases({ services }: Configured): Promise<void> {
    const { notices, log } = this.#parts
    const stored = await storeReleases(services, this.#parts)
    if (!stored.ok) {
      notices.post({ severity: 'warning', text: stored.error.message, link: '/settings' })
      return
    }
    this.#changed = stored.value
    for (const name of this.#roster.names) this.#show(name)
    if (stored.value.length === 0) return
    const text = `The configuration file changes ${namesOf(stored.value)}; recorded releases stay as they are. ${changedReleaseRemedy}`
    notices.post({ severity: 'warning', text, link: '/services' })
    log.warn('the configuration file changes releases that are on record', { text })
  }
}
