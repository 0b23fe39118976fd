export { BoundedOutput, outputLimitBytes } from './bounded-output.ts'
export { judgeFreeze } from './freeze.ts'
export { judgeLoad } from './load.ts'
export { failed, failedForNow, passed, warned, worstOf, type Check, type CheckVerdict } from './model.ts'
export { validationFacts } from './facts.ts'
export type { HostFact, ValidationFacts } from './ports.ts'
export {
  hasResourceLimits,
  judgeDataQuality,
  judgeExclusive,
  judgeHeadroom,
  missingRoom,
} from './readiness.ts'
export { judgeJson } from './reports/json.ts'
export { judgeJunit } from './reports/junit.ts'
export { judgeSarif } from './reports/sarif.ts'
export { judgeReportBytes } from './reports/judge.ts'
export { unreadable, type ReportVerdict } from './reports/verdict.ts'
export { runLimitMs } from './run-checks.ts'
export {
  checkConfigSchema,
  checkNameOf,
  checksSchema,
  sendsPasswordInClear,
  withDefaultChecks,
  type CheckConfig,
  type CheckConfigOf,
  type ReportConfig,
} from './schema.ts'
export { scanForSecrets } from './secrets.ts'
export { validatorOf } from './validator.ts'
