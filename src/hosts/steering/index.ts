export { storeReleases } from './releases.ts'
export { steer, type ConfiguredService, type Steering, type SteeringParts } from './steer.ts'
