export { openDoor, type Door, type DoorOptions, type EngineAccess } from './door.ts'
export { serve, type Served, type ServeOptions } from './serve.ts'
