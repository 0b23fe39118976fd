export { changedReleaseRemedy, serviceConcerns } from './concerns.ts'
export { serviceChanges, type Told } from './changes.ts'
export { serviceHealth } from './health.ts'
export type {
  BinPage,
  EmergencyOrder,
  EnsureRequest,
  LogLine,
  LogsRequest,
  RemoveRequest,
  Router,
  RouterReport,
  SetWeightsRequest,
  Target,
  TargetReport,
} from './ports.ts'
