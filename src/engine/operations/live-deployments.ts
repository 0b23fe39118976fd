import type { Deployment } from '../../contract/index.ts'
import type { LiveStore } from '../core/index.ts'
import { deploymentView, type DeploymentState, type DeploymentStore } from '../deployments/index.ts'
import type { NoticeBoard } from '../journal/index.ts'
import { shownDeployment } from './shown-plan.ts'

export interface LiveDeploymentsParts {
  live: LiveStore
  notices: Pick<NoticeBoard, 'post'>
  store: Pick<DeploymentStore, 'deployment'>
}

/** How long an ended deployment stays among the live records. */
const shownAfterEndMs = 3_600_000

/** The deployments among the live records, and a line among the notices for each phase that a person wants to hear of. */
export class LiveDeployments {
  readonly #parts: LiveDeploymentsParts
  readonly #told = new Map<string, Deployment['phase']>()

  constructor(parts: LiveDeploymentsParts) {
    this.#parts = parts
  }

  /** Shows those of `service` that are `open`; the others have ended, and go an hour later. */
  show(service: string, open: readonly DeploymentState[], nowMs: number): void {
    const { live } = this.#parts
    const current = new Set<string>()
    for (const state of open) {
      const deployment = shownDeployment(deploymentView(state))
      current.add(deployment.id)
      if (isNews(live.get(`deployment:${deployment.id}`), deployment))
        live.put(`deployment:${deployment.id}`, deployment)
      this.#tell(deployment)
    }
    for (const deployment of this.#shownOf(service)) {
      if (current.has(deployment.id)) continue
      if (deployment.endedAtMs === null) void this.#showEnd(deployment.id)
      else if (nowMs - deployment.endedAtMs > shownAfterEndMs) this.#remove(deployment)
    }
  }

  /** The service is steered no longer. */
  drop(service: string): void {
    for (const deployment of this.#shownOf(service)) this.#remove(deployment)
  }

  #shownOf(service: string): Deployment[] {
    return Object.entries(this.#parts.live.snapshot()).flatMap(([key, record]) => {
      const deployment = key.startsWith('deployment:') ? (record as Deployment) : null
      return deployment?.service === service ? [deployment] : []
    })
  }

  #remove({ id }: Deployment): void {
    this.#parts.live.remove(`deployment:${id}`)
    this.#told.delete(id)
  }

  async #showEnd(id: string): Promise<void> {
    const ended = await this.#parts.store.deployment(id)
    if (!ended.ok || ended.value.endedAtMs === null) return
    const deployment = shownDeployment(ended.value)
    this.#parts.live.put(`deployment:${id}`, deployment)
    this.#tell(deployment)
  }

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

/** Whether a person would see a difference; a revision alone does not tell of a new judgement. */
const isNews = (shown: Deployment | undefined, now: Deployment): boolean =>
  shown?.revision !== now.revision ||
  shown.judgement?.atMs !== now.judgement?.atMs ||
  shown.log.length !== now.log.length
