export { createRouter, type ApiParts, type ApiRouter, type CallContext } from './router.ts'
