export { openDoor, type EngineAccess } from './door.ts'
export { serve } from './serve.ts'
