export { systemClock } from './clock.ts'
export { systemRng } from './rng.ts'
