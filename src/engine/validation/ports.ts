import type { Result } from '../../base/index.ts'
import type { Actor, HostState } from '../../contract/index.ts'
import type { Counts } from '../canary/index.ts'
import type { Router, Target } from '../platforms/index.ts'

/** A host as a check sees it. */
export interface HostFact {
  name: string
  state: HostState
}

/** A deployment that has not ended. */
export interface OtherDeployment {
  id: string
  candidateReleaseId: string
  createdBy: Actor
}

/** Port: what the engine knows at this moment that checks ask about. */
export interface ValidationFacts {
  hosts(): readonly HostFact[]
  /** Of the service, not ended. */
  openDeployments(service: string): Promise<Result<readonly OtherDeployment[]>>
  /** Where the service runs and what routes it; null when it is not configured. */
  target(service: string): Target | null
  router(service: string): Router | null
  /** Stored counts of the stable release; null when it had no traffic. */
  baseline(service: string): Promise<Result<Counts | null>>
}
