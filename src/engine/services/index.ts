export type {
  Declaration,
  DeclarationChange,
  DeclarationStore,
  TrafficChange,
  TrafficStore,
} from './ports.ts'
export { storeReleases } from './configured-releases.ts'
export { serviceConcerns } from './concerns.ts'
export { serviceChanges, type Told } from './changes.ts'
export { serviceHealth } from './health.ts'
export { serviceHandlers } from './handlers.ts'
export type { Configured, Equip, OperatedService } from './registry.ts'
export { Services } from './services.ts'
