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
import { auditAsCsv, auditAsJsonLines, chainStart, findBreak, type ChainEnd } from '../audit/index.ts'
import { AppError, fail, ok, type LiveStore, type Loop, type Result } from '../core/index.ts'
import {
  buildPlan,
  deploymentView,
  Fleet,
  type Command,
  type DeploymentFilter,
  type PipelineParts,
  type ServiceView,
  type SteeredService,
} from '../deployments/index.ts'
import type { NoticeBoard } from '../journal/index.ts'
import { compareReleases } from './compare.ts'
import { TrafficWatch } from './traffic-watch.ts'

/** A service with what its configuration says of deployments. */
export interface OperatedService extends SteeredService {
  /** Of the whole, then of the service; a deployment's own come last. */
  deployOptions: readonly PlanOptions[]
}

export interface OperationsParts extends PipelineParts {
  live: LiveStore
  notices: NoticeBoard
  environment: string
  services: readonly OperatedService[]
}

export interface StartRequest {
  service: string
  releaseId: string
  options: PlanOptions
  why: string
}

/** How long an ended deployment stays among the live records. */
const shownAfterEndMs = 3_600_000
/** Deployments that may move at the same time, over all services. */
const mostAtOnce = 100
const auditPage = 1000
const rehearsalLimitMs = 300_000

/** Everything a person can see of and do to services and deployments, over the fleet that steers them. */
export class Operations implements Disposable {
  readonly #parts: OperationsParts
  readonly #fleet: Fleet
  readonly #services: ReadonlyMap<string, OperatedService>
  readonly #watches: ReadonlyMap<string, TrafficWatch>
  readonly #views = new Map<string, ServiceView>()
  readonly #told = new Map<string, string>()

  constructor(parts: OperationsParts) {
    this.#parts = parts
    this.#services = new Map(parts.services.map((service) => [service.definition.name, service]))
    this.#watches = new Map(
      parts.services.map((service): [string, TrafficWatch] => {
        const { name } = service.definition
        return [name, new TrafficWatch(service, parts.clock, () => this.#show(name))]
      }),
    )
    this.#fleet = new Fleet(parts, parts.services, {
      mostAtOnce,
      changed: (view) => {
        this.#views.set(view.record.name, view)
        this.#show(view.record.name)
      },
    })
  }

  /** For the supervisor. */
  get loops(): Loop[] {
    return [
      ...this.#fleet.loops,
      ...[...this.#watches].map(([name, watch]): Loop => ({
        name: `traffic of ${name}`,
        run: (signal, heart) => watch.run(signal, heart),
      })),
    ]
  }

  [Symbol.dispose](): void {
    this.#fleet[Symbol.dispose]()
  }

  services(): ServiceState[] {
    return [...this.#services.keys()].flatMap((name) => this.#parts.live.get(`service:${name}`) ?? [])
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
    return found.ok ? ok(this.#watches.get(service)?.since(fromMs) ?? []) : found
  }

  async resume(service: string, by: string, why: string): Promise<Result<ServiceState>> {
    const resumed = await this.#fleet.resumeAutomation(service, by, why)
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

  deployments(filter: DeploymentFilter): Promise<Result<Deployment[]>> {
    return this.#parts.store.deployments(filter)
  }

  async deployment(id: string): Promise<Result<Deployment>> {
    const live = this.#parts.live.get(`deployment:${id}`)
    return live ? ok(live) : this.#parts.store.deployment(id)
  }

  deploymentBins(id: string): Promise<Result<Bin[]>> {
    return this.#parts.store.bins(id)
  }

  /** The plan and what the checks say; nothing moves and nothing is kept. */
  async rehearse({
    service,
    releaseId,
    options,
  }: StartRequest): Promise<Result<{ plan: Plan; stableReleaseId: string | null; validation: Validation }>> {
    const found = this.#find(service)
    if (!found.ok) return found
    const plan = buildPlan(...found.value.deployOptions, options)
    if (!plan.ok) return plan
    const release = await this.#parts.store.release(service, releaseId)
    if (!release.ok) return release
    const stableReleaseId = this.#views.get(service)?.record.stableReleaseId ?? null
    const deadline = new AbortController()
    using _timer = this.#parts.clock.after(rehearsalLimitMs, () => deadline.abort())
    const validation = await this.#parts.validator.validate(
      { deploymentId: '', service, release: release.value, stableReleaseId, plan: plan.value },
      deadline.signal,
    )
    return validation.ok
      ? ok({ plan: plan.value, stableReleaseId, validation: validation.value })
      : validation
  }

  async start({ service, releaseId, options, why }: StartRequest, by: string): Promise<Result<Deployment>> {
    const found = this.#find(service)
    if (!found.ok) return found
    return this.#shown(
      await this.#fleet.deploy({
        service,
        releaseId,
        options: [...found.value.deployOptions, options],
        by,
        why,
        expectedRevision: null,
      }),
    )
  }

  async command(id: string, command: Command): Promise<Result<Deployment>> {
    const done = await this.#fleet.command(id, command)
    return done.ok ? this.#shown(ok(id)) : done
  }

  async retry(id: string, by: string, why: string): Promise<Result<Deployment>> {
    return this.#shown(await this.#fleet.retry(id, by, why))
  }

  async undo(
    request: { service: string; releaseId?: string; why: string },
    by: string,
  ): Promise<Result<Deployment>> {
    return this.#shown(await this.#fleet.undo({ ...request, by, expectedRevision: null }))
  }

  /** All traffic to the stable release, of the named services or of every one with a candidate. */
  emergency(services: readonly string[] | undefined, by: string, why: string): Promise<RollbackOutcome[]> {
    return this.#fleet.emergency(services ?? 'all', by, why)
  }

  audit(filter: Parameters<OperationsParts['store']['audit']>[0]): Promise<Result<AuditEntry[]>> {
    return this.#parts.store.audit(filter)
  }

  async verifyAudit(): Promise<
    Result<{ isWhole: boolean; entryCount: number; firstBrokenSeq: number | null; text: string }>
  > {
    let end: ChainEnd = chainStart
    for (;;) {
      const page = await this.#parts.store.auditFrom(end.seq + 1, auditPage)
      if (!page.ok) return page
      const broken = findBreak(page.value, end)
      if (broken)
        return ok({
          isWhole: false,
          entryCount: broken.seq - 1,
          firstBrokenSeq: broken.seq,
          text: broken.text,
        })
      const last = page.value.at(-1)
      if (!last) {
        const text = `${end.seq} entries, each follows from the one before it`
        return ok({ isWhole: true, entryCount: end.seq, firstBrokenSeq: null, text })
      }
      end = last
    }
  }

  async exportAudit(
    format: 'jsonl' | 'csv',
    fromMs = -Infinity,
    toMs = Infinity,
  ): Promise<Result<{ name: string; text: string }>> {
    const entries: AuditEntry[] = []
    for (let from = 1; ;) {
      const page = await this.#parts.store.auditFrom(from, auditPage)
      if (!page.ok) return page
      const last = page.value.at(-1)
      if (!last) break
      entries.push(...page.value.filter(({ atMs }) => atMs >= fromMs && atMs < toMs))
      from = last.seq + 1
    }
    const text = format === 'csv' ? auditAsCsv(entries) : auditAsJsonLines(entries)
    return ok({ name: `pilothouse-audit.${format}`, text })
  }

  #find(name: string): Result<OperatedService> {
    const found = this.#services.get(name)
    const known = [...this.#services.keys()].join(', ')
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
    return id.ok ? this.#parts.store.deployment(id.value) : id
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
    const service = this.#services.get(name)
    const watch = this.#watches.get(name)
    if (!view || !service || !watch) return
    const { live, clock, environment } = this.#parts
    const nowMs = clock.nowMs()
    const [active] = view.open
    live.put(`service:${name}`, {
      name,
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
      automationStopped: view.record.automationStopped,
      trouble: view.trouble,
      revision: view.record.revision,
      updatedAtMs: nowMs,
    })
    this.#showDeployments(name, view, nowMs)
  }

  #showDeployments(service: string, { open }: ServiceView, nowMs: number): void {
    const { live } = this.#parts
    const current = new Set<string>()
    for (const state of open) {
      const deployment = deploymentView(state)
      current.add(deployment.id)
      if (live.get(`deployment:${deployment.id}`)?.revision !== deployment.revision)
        live.put(`deployment:${deployment.id}`, deployment)
      this.#tell(deployment)
    }
    for (const [key, record] of Object.entries(live.snapshot())) {
      if (!key.startsWith('deployment:')) continue
      const deployment = record as Deployment
      if (deployment.service !== service || current.has(deployment.id)) continue
      if (deployment.endedAtMs === null) void this.#showEnd(deployment.id)
      else if (nowMs - deployment.endedAtMs > shownAfterEndMs) live.remove(`deployment:${deployment.id}`)
    }
  }

  async #showEnd(id: string): Promise<void> {
    const ended = await this.#parts.store.deployment(id)
    if (!ended.ok || ended.value.endedAtMs === null) return
    this.#parts.live.put(`deployment:${id}`, ended.value)
    this.#tell(ended.value)
  }

  /** A line for what changed lately, once a phase that a person wants to hear of. */
  #tell({ id, service, candidateReleaseId: name, phase, reason }: Deployment): void {
    if (this.#told.get(id) === phase) return
    this.#told.set(id, phase)
    const link = `/deployments/${encodeURIComponent(id)}`
    const say = (severity: 'info' | 'ok' | 'warning' | 'critical', text: string) =>
      this.#parts.notices.post({ severity, text, link })
    if (phase === 'validating') say('info', `${service}: deployment of ${name} began`)
    if (phase === 'promoted') say('ok', `${service}: ${name} is the stable release`)
    if (phase === 'paused') say('warning', `${service}: deployment of ${name} is paused: ${reason}`)
    if (phase === 'rolled_back') say('warning', `${service}: ${name} was rolled back: ${reason}`)
    if (phase === 'failed') say('warning', `${service}: ${name} got no traffic: ${reason}`)
  }
}
