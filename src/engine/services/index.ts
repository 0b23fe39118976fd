export { changedReleaseRemedy, serviceConcerns } from './concerns.ts'
export { serviceChanges, type Told } from './changes.ts'
export { serviceHealth } from './health.ts'
