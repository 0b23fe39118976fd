export { PlatformRegistry, type Equipment, type Platform } from './platforms.ts'
export type {
  BinPage,
  EmergencyOrder,
  EnsureRequest,
  TargetLogLine,
  RemoveRequest,
  Router,
  RouterReport,
  SetWeightsRequest,
  Target,
  TargetReport,
} from './ports.ts'
