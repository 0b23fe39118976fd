import type { AppError } from '../../base/index.ts'
import {
  failed,
  failedForNow,
  passed,
  worstOf,
  type ValidationFacts,
  type CheckVerdict,
} from '../../engine/validation/index.ts'
import type { Run } from './surroundings.ts'

/** What runs the service and what routes it both answer. That they do not know the service yet is an answer. */
export function reachableCheck(facts: ValidationFacts): Run {
  return async ({ service }) => {
    const [target, router] = [facts.target(service), facts.router(service)]
    if (!target || !router) return failed(`No target or router is configured for ${service}.`)
    const [observed, read] = await Promise.all([target.observe(service), router.read(service)])
    return worstOf([
      verdictOn('The target', observed.ok ? null : observed.error),
      verdictOn('The router', read.ok ? null : read.error),
    ])
  }
}

function verdictOn(who: string, error: AppError | null): CheckVerdict {
  if (!error) return passed(`${who} answers.`)
  if (error.code === 'NOT_FOUND') return passed(`${who} answers; the service is new to it.`)
  const text = `${who} did not respond correctly: ${error.message}`
  return error.retryable ? failedForNow(text) : failed(text)
}
