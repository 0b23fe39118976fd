export { PlatformRegistry, type Equipment, type Platform } from './platforms.ts'
export type {
  BinPage,
  EmergencyOrder,
  EnsureRequest,
  LogLine,
  RemoveRequest,
  Router,
  RouterReport,
  SetWeightsRequest,
  Target,
  TargetReport,
} from './ports.ts'
