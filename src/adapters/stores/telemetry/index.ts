export { defaultRetention, type Retention } from './resolutions.ts'
export { openTelemetryStore, type RetainingStore, type TelemetryStoreOptions } from './store.ts'
