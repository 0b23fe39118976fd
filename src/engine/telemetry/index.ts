export { changesOf } from './changes.ts'
export { combineHealth, type HealthMember } from './health-combine.ts'

export { HostLoop } from './host-loop.ts'
export { longForecasts } from './long-forecasts.ts'
export { createHostMonitor, type Catalog, type HostMonitor } from './host-monitor.ts'
export { defaultLimits, type Limits } from './limits.ts'
export type { Moment } from './moment.ts'
export type * from './ports.ts'

export { seriesText } from './wording.ts'
