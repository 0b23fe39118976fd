export { AdminServer } from './server.ts'
