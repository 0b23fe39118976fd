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
