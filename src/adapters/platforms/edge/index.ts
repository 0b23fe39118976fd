export { EdgeClient } from './edge-client.ts'
export { edgeCapabilities, edgePlatform } from './edge-platform.ts'
