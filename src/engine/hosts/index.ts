export { hostHandlers, type HostParts } from './handlers.ts'
export { HostRegistry, type HostRegistryParts, type HostSettings } from './registry.ts'
