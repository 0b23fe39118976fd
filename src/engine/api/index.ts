export type { CallContext } from './api.ts'
export { createRouter, type ApiParts, type ApiRouter } from './router.ts'
