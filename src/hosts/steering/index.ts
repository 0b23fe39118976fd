export { recordUpgrade } from './record-upgrade.ts'
export { steer, type SteeringParts, type Surroundings } from './steer.ts'
