export { configNames } from './file.ts'
export { placesOf, thisSystem, type System } from './places.ts'
export {
  flaggedDataDirectory,
  likelyDataDirectory,
  readConfig,
  type ConfigRead,
  type ConfigRequest,
} from './read.ts'
export { readSecret } from './secrets.ts'
export { watchConfig, type WatchOptions } from './watch.ts'
