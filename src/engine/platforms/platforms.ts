import type {
  Capabilities,
  PlatformName,
  RouterCapabilities,
  ServiceDefinition,
  TargetCapabilities,
} from '../../contract/index.ts'
import type { Router, Target } from './ports.ts'

/** A platform as composed: its name in the configuration and both of its ports. */
export interface Platform {
  name: PlatformName
  target: Target
  router: Router
  capabilities: { target: TargetCapabilities; router: RouterCapabilities }
}

/** What a service works with: where its instances run, and what splits its traffic. */
export interface Equipment {
  target: Target
  router: Router
  /** Of both. */
  capabilities: Capabilities
}

/** The platforms of this program, by the names that the configuration uses. */
export class PlatformRegistry {
  readonly #platforms: ReadonlyMap<PlatformName, Platform>

  /** Throws when two platforms have the same name. */
  constructor(platforms: readonly Platform[]) {
    this.#platforms = new Map(platforms.map((platform) => [platform.name, platform]))
    if (this.#platforms.size < platforms.length) throw new Error('two platforms have the same name')
  }

  /** The target of the platform that the service runs on, and the router of the one that routes it. */
  equip({ target, router }: Pick<ServiceDefinition, 'target' | 'router'>): Equipment {
    const [runs, routes] = [this.#find(target), this.#find(router)]
    return {
      target: runs.target,
      router: routes.router,
      capabilities: { ...runs.capabilities.target, ...routes.capabilities.router },
    }
  }

  #find(name: PlatformName): Platform {
    const platform = this.#platforms.get(name)
    // The configuration refuses names that are not in the contract: this is a platform that nobody composed.
    if (!platform) throw new Error(`the platform ${name} is not part of this program`)
    return platform
  }
}
