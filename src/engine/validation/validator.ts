import { AppError, fail, ok, type Clock, type Log, type Result, type Rng } from '../../base/index.ts'
import { type CheckResult, type Validation } from '../../contract/index.ts'
import type { ValidationRequest, Validator } from '../deployments/index.ts'
import type { Check } from './model.ts'
import { runChecks } from './run-checks.ts'

export interface ValidatorOptions {
  clock: Clock
  rng: Rng
  log: Log
  /** The checks of a release, bound to it. Fails where the service is not known (NOT_FOUND). */
  checksOf: (request: ValidationRequest) => Result<readonly Check[]>
}

/**
 * The `Validator` port over a list of checks. A failed Result is ours (unknown service), or the signal's: a run that
 * was stopped says nothing about the release, so it gives UNAVAILABLE and never a validation.
 */
export function validatorOf({ clock, rng, log, checksOf }: ValidatorOptions): Validator {
  return {
    async validate(request, signal) {
      const checks = checksOf(request)
      if (!checks.ok) return checks
      const startedAtMs = clock.monotonicMs()
      const results = await runChecks(checks.value, { clock, rng, log, signal })
      if (signal.aborted)
        return fail(
          new AppError(
            'UNAVAILABLE',
            `The validation of ${request.service} ${request.release.id} was stopped.`,
          ),
        )
      return ok(validationOf(results, clock.monotonicMs() - startedAtMs))
    },
  }
}

/** The whole of a run from its parts: a release can be deployed when no critical check failed. */
function validationOf(results: CheckResult[], durationMs: number): Validation {
  const count = (outcome: CheckResult['outcome']) =>
    results.filter((result) => result.outcome === outcome).length
  return {
    canDeploy: !results.some(({ critical, outcome }) => critical && outcome === 'failed'),
    results,
    passed: count('passed'),
    failed: count('failed'),
    warnings: count('warning'),
    durationMs,
  }
}
