export { correlationId, withCorrelation } from './correlation.ts'
export { emptyDiff, LiveStore, squash } from './live-store.ts'
export { Supervisor, type Heart, type Loop, type SupervisorOptions } from './supervisor.ts'
export { within } from './within.ts'
