export { hostHandlers, type HostParts } from './handlers.ts'
export { HostRegistry } from './registry.ts'
