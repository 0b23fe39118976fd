export { api, type CallContext } from './api.ts'
export { given } from './given.ts'
export { orThrow } from './or-throw.ts'
