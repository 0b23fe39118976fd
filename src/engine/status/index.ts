export { EngineStatus } from './status.ts'
