export { steer, type SteeringParts, type Surroundings } from './steer.ts'
