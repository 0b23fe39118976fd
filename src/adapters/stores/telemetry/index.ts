export { defaultRetention, type Retention } from './resolutions.ts'
export { openTelemetryStore, type TelemetryStoreOptions } from './store.ts'
