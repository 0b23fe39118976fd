export { openStateStore, type StateStore, type StateStoreOptions } from './store.ts'
