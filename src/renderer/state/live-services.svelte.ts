import type { Deployment, ServiceState } from '../../contract/index.ts'
import type { EngineLink } from './engine-link.svelte.ts'
import { keepIfSame } from './keep-if-same.ts'
import { deploymentsIn, hasEnded, servicesIn } from './service-records.ts'

/** Services and deployments as the engine's records tell of them. */
export class LiveServices {
  #link: Pick<EngineLink, 'records'>

  constructor(link: Pick<EngineLink, 'records'>) {
    this.#link = link
  }

  #services = $derived.by(keepIfSame(() => servicesIn(this.#link.records)))
  #deployments = $derived.by(keepIfSame(() => deploymentsIn(this.#link.records)))
  #running = $derived.by(keepIfSame(() => this.#deployments.filter((deployment) => !hasEnded(deployment))))

  /** Worst first, then by name. */
  get services(): readonly ServiceState[] {
    return this.#services
  }
  /** Running ones and those of the last hour, newest first. */
  get deployments(): readonly Deployment[] {
    return this.#deployments
  }
  get running(): readonly Deployment[] {
    return this.#running
  }

  service(name: string): ServiceState | undefined {
    return this.#link.records[`service:${name}`]
  }
  deployment(id: string): Deployment | undefined {
    return this.#link.records[`deployment:${id}`]
  }
}
