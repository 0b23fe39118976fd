import type { Result } from '../../base/index.ts'
import type { Actor, Bin } from '../../contract/index.ts'

/** A service that was declared over the API, in the form in which it would stand in a config. */
export interface Declaration {
  service: string
  written: Readonly<Record<string, unknown>>
  by: Actor
  atMs: number
  /** From 1; grows with each change. */
  revision: number
  /** It is being removed: whoever finds it goes on with that. */
  isLeaving: boolean
}

export type DeclarationChange =
  /** In the place of the one of the same service. */
  { kind: 'putDeclaration'; declaration: Declaration } | { kind: 'dropDeclaration'; service: string }

/** Port: declared services at rest. Fails as `UnitOfWork` does. */
export interface DeclarationStore {
  /** By name. */
  all(): Promise<Result<Declaration[]>>
}

/** Adds minutes of a service's traffic, and drops those of all services that began before `fromMs`. */
export interface TrafficChange {
  kind: 'keepTraffic'
  service: string
  minutes: readonly Bin[]
  fromMs: number
}

/** Port: the traffic of services by the minute, at rest. Fails as `UnitOfWork` does. */
export interface TrafficStore {
  /** The minutes kept of a service, oldest first. */
  minutesOf(service: string): Promise<Result<Bin[]>>
}
