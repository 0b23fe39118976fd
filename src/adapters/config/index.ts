export { placesOf, thisSystem, type Places, type System } from './places.ts'
export { readConfig, type ConfigRead, type ConfigRequest } from './read.ts'
export { readSecret } from './secrets.ts'
export { watchConfig, type WatchOptions } from './watch.ts'
