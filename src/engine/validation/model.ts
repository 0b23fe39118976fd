import type { CheckResult } from '../../contract/index.ts'

/** What one attempt of a check found. */
export interface CheckVerdict {
  outcome: CheckResult['outcome']
  /** A whole sentence for a person, without secrets. */
  text: string
  /** What was printed or seen; kept with the result, cut at 64 kB. */
  output?: string
  /** A failure that the next attempt may not have: nobody answered, something was starting. Only these are retried. */
  isTransient?: boolean
}

/** One check, bound to the release it is about. */
export interface Check {
  /** Unique within a run. */
  readonly name: string
  /** A failed critical check forbids the deployment. */
  readonly isCritical: boolean
  /** Of one attempt. */
  readonly timeoutMs: number
  /** Attempts after the first one. */
  readonly retries: number
  /** Whether an attempt that ran into its timeout may be made again: a probe may, a test suite may not. */
  readonly isTimeoutTransient: boolean
  /** When aborted, it gives back all it holds (sockets, children), then settles. What it throws is a failure. */
  run(signal: AbortSignal): Promise<CheckVerdict>
}

export const passed = (text: string, output?: string): CheckVerdict => verdict('passed', text, output)
export const warned = (text: string, output?: string): CheckVerdict => verdict('warning', text, output)
export const failed = (text: string, output?: string): CheckVerdict => verdict('failed', text, output)

/** A failure that a later attempt may not have. */
export const failedForNow = (text: string, output?: string): CheckVerdict => ({
  ...verdict('failed', text, output),
  isTransient: true,
})

const verdict = (outcome: CheckVerdict['outcome'], text: string, output?: string): CheckVerdict => ({
  outcome,
  text,
  ...(output === undefined ? {} : { output }),
})

const severities = ['passed', 'warning', 'failed'] as const

/** The worst of several, as one: the texts of those that are as bad, and all outputs in their order. */
export function worstOf(verdicts: readonly [CheckVerdict, ...CheckVerdict[]]): CheckVerdict {
  const rank = Math.max(...verdicts.map(({ outcome }) => severities.indexOf(outcome)))
  const worst = verdicts.filter(({ outcome }) => severities.indexOf(outcome) === rank)
  const outputs = verdicts.flatMap(({ output }) => (output ? [output] : []))
  return {
    outcome: severities[rank] ?? 'failed',
    text: worst.map(({ text }) => text).join(' '),
    ...(outputs.length > 0 ? { output: outputs.join('\n') } : {}),
    isTransient: worst.every(({ isTransient }) => isTransient === true),
  }
}
