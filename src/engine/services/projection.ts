import type { Clock } from '../../base/index.ts'
import type { LiveStore } from '../core/index.ts'
import type { DeploymentProjection, ServiceView } from '../deployments/index.ts'
import type { NoticeBoard } from '../journal/index.ts'
import { serviceChanges, type Told } from './changes.ts'
import { serviceConcerns } from './concerns.ts'
import type { ChangedRelease } from './configured-releases.ts'
import type { OperatedService } from './registry.ts'
import type { TrafficWatch } from './traffic-watch.ts'

export interface ServiceProjectionParts {
  clock: Clock
  live: LiveStore
  notices: NoticeBoard
  deployments: DeploymentProjection
  environment: string
  /** What is steered under this name now, with its traffic. */
  find: (name: string) => { service: OperatedService; watch: TrafficWatch } | undefined
}

/** The services among the live records, and a line among the notices for each change that concerns a person. */
export class ServiceProjection {
  readonly #parts: ServiceProjectionParts
  readonly #views = new Map<string, ServiceView>()
  readonly #told = new Map<string, Told>()
  /** Releases that the config describes otherwise than they are on record. */
  #changed: readonly ChangedRelease[] = []
  #environment: string

  constructor(parts: ServiceProjectionParts) {
    this.#parts = parts
    this.#environment = parts.environment
  }

  view(name: string): ServiceView | undefined {
    return this.#views.get(name)
  }

  /** Whether a deployment of it has not ended. */
  isMoving(name: string): boolean {
    return (this.#views.get(name)?.open.length ?? 0) > 0
  }

  /** What the services belong to from the next `show` on. */
  setEnvironment(environment: string): void {
    this.#environment = environment
  }

  setChangedReleases(changed: readonly ChangedRelease[]): void {
    this.#changed = changed
  }

  /** A look at the service has found something. */
  take(view: ServiceView): void {
    this.#views.set(view.record.name, view)
    this.show(view.record.name)
  }

  /** Puts what changed of a service among the live records. */
  show(name: string): void {
    const view = this.#views.get(name)
    const found = this.#parts.find(name)
    if (!view || !found) return
    const { service, watch } = found
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
      capabilities: service.capabilities,
      candidateReleaseId: active?.candidateReleaseId ?? null,
      deploymentId: active?.id ?? null,
      sli: watch.slis(nowMs),
      wayBack: view.wayBack,
      revision,
      updatedAtMs: nowMs,
    })
    this.#parts.deployments.show(name, view, nowMs)
  }

  /** It is steered no longer: nothing of it is live any more. Gives the release that it leaves behind. */
  drop(name: string): string | null {
    const stable = this.#views.get(name)?.record.stableReleaseId ?? null
    this.#views.delete(name)
    this.#told.delete(name)
    this.#parts.live.remove(`service:${name}`)
    this.#parts.deployments.drop(name)
    return stable
  }
}
