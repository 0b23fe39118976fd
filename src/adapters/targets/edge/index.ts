export { EdgeClient, type EdgeClientOptions } from './edge-client.ts'
export { edgeTarget } from './edge-target.ts'
