export { api, type CallContext } from './api.ts'
export { orThrow } from './or-throw.ts'
