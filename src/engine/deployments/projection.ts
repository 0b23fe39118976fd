import { recordsOf, type Deployment } from '../../contract/index.ts'
import type { LiveStore } from '../core/index.ts'
import type { ServiceView } from './steering/service-loop.ts'
import type { DeploymentStore } from './ports.ts'
import type { DeploymentState } from './state.ts'
import { deploymentView, queuePlace } from './view.ts'
import type { NoticeBoard } from '../journal/index.ts'
import { deploymentNews, toTell, type Told } from './news.ts'
import { shownDeployment } from './shown.ts'

export interface DeploymentProjectionParts {
  live: LiveStore
  notices: Pick<NoticeBoard, 'post'>
  stores: { deployments: Pick<DeploymentStore, 'find'> }
}

/** How long an ended deployment stays among the live records. */
const shownAfterEndMs = 3_600_000

/** Publishes deployments as live records, and a notice for each event that people want to hear about. */
export class DeploymentProjection {
  readonly #parts: DeploymentProjectionParts
  readonly #told = new Map<string, Told>()

  constructor(parts: DeploymentProjectionParts) {
    this.#parts = parts
  }

  /** Shows the open deployments of `service`; the others have ended and disappear an hour later. */
  show(
    service: string,
    { open, record, isCrowded }: Pick<ServiceView, 'open' | 'record' | 'isCrowded'>,
    nowMs: number,
  ): void {
    const { live } = this.#parts
    const current = new Set<string>()
    for (const state of open) {
      const deployment = shownDeployment(
        deploymentView(
          state,
          queuePlace(state, open, { isStopped: record.automationStopped !== null, isCrowded }),
        ),
      )
      current.add(deployment.id)
      if (isNews(live.get(`deployment:${deployment.id}`), deployment))
        live.put(`deployment:${deployment.id}`, deployment)
      this.#tell(deployment, state)
    }
    for (const deployment of this.#shownOf(service)) {
      if (current.has(deployment.id)) continue
      if (deployment.endedAtMs === null) void this.#showEnd(deployment.id)
      else if (nowMs - deployment.endedAtMs > shownAfterEndMs) this.#remove(deployment)
    }
  }

  /** Removes a service that is no longer steered. */
  drop(service: string): void {
    for (const deployment of this.#shownOf(service)) this.#remove(deployment)
  }

  #shownOf(service: string): Deployment[] {
    return recordsOf(this.#parts.live.snapshot(), 'deployment').filter(
      (deployment) => deployment.service === service,
    )
  }

  #remove({ id }: Deployment): void {
    this.#parts.live.remove(`deployment:${id}`)
    this.#told.delete(id)
  }

  async #showEnd(id: string): Promise<void> {
    const ended = await this.#parts.stores.deployments.find(id)
    if (!ended.ok || ended.value.endedAtMs === null) return
    const deployment = shownDeployment(ended.value)
    this.#parts.live.put(`deployment:${id}`, deployment)
    this.#tell(deployment, null)
  }

  #tell(deployment: Deployment, state: DeploymentState | null): void {
    const { id } = deployment
    const before = this.#told.get(id)
    const now = toTell(deployment, state)
    this.#told.set(id, now)
    for (const news of deploymentNews(deployment, before, now)) this.#parts.notices.post(news)
  }
}

/** Whether a person would see a difference; a new judgement does not change the revision. */
const isNews = (shown: Deployment | undefined, now: Deployment): boolean =>
  shown?.revision !== now.revision ||
  shown.reason !== now.reason ||
  shown.judgement?.atMs !== now.judgement?.atMs ||
  shown.log.length !== now.log.length
