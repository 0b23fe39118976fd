import type { AuditChange, AuditStore } from './audit/index.ts'
import type { EvidenceChange, EvidenceStore } from './canary/index.ts'
import type { UnitOfWork } from './core/index.ts'
import type { DeploymentChange, DeploymentStore, ServiceChange, ServiceStore } from './deployments/index.ts'
import type { JournalChange } from './journal/index.ts'
import type { ReleaseChange, ReleaseStore } from './releases/index.ts'
import type { DeclarationChange, DeclarationStore, TrafficChange, TrafficStore } from './services/index.ts'

/** The kinds of change of each aggregate. One that is named here takes part in every transaction. */
export interface Changes {
  journal: JournalChange
  services: ServiceChange
  declarations: DeclarationChange
  traffic: TrafficChange
  releases: ReleaseChange
  deployments: DeploymentChange
  evidence: EvidenceChange
  audit: AuditChange
}

/** All that can be committed together. */
export type Change = Changes[keyof Changes]

/** What the engine keeps at rest: one store an aggregate to read from, one unit of work to write. */
export interface Stores {
  work: UnitOfWork<Change>
  services: ServiceStore
  declarations: DeclarationStore
  traffic: TrafficStore
  releases: ReleaseStore
  deployments: DeploymentStore
  evidence: EvidenceStore
  audit: AuditStore
}
