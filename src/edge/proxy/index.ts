export { Listener } from './listener.ts'
export { RequestRouter } from './router.ts'
