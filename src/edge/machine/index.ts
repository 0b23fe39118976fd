export { closeServer } from './close-server.ts'
export { comesOfOurLack, isOurLack } from './lack.ts'
export type { EdgeLog, Surroundings } from './surroundings.ts'
export { isUnwritable, openOutput } from './unwritable.ts'
