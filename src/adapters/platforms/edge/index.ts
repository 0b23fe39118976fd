export { EdgeClient, type EdgeClientOptions } from './edge-client.ts'
export { edgePlatform } from './edge-platform.ts'
