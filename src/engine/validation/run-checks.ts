import { backoffMs, messageOf, shortened, sleep, type Clock, type Log, type Rng } from '../../base/index.ts'
import { duration, type CheckResult } from '../../contract/index.ts'
import { cutOutput } from './bounded-output.ts'
import { failed, failedForNow, type Check, type CheckVerdict } from './model.ts'

/** Longest time of a whole run, whatever its checks do. */
export const runLimitMs = 5 * 60_000
/** How long a check that was stopped is waited for, to give back what it holds. */
const graceMs = 2000
const retryBackoff = { firstMs: 500, longestMs: 10_000 }
const longestTextCharacters = 2000

export interface RunOptions {
  clock: Clock
  rng: Rng
  log: Log
  /** Ends everything: what has not ended is then failed. */
  signal: AbortSignal
}

/**
 * Runs all checks at once, each with its own timeout and retries, and gives their results in the order of the checks
 * within `runLimitMs`. A check that ignores its signal is left behind after a short grace; one that throws is failed.
 * Never rejects.
 */
export function runChecks(checks: readonly Check[], options: RunOptions): Promise<CheckResult[]> {
  const lastStartMs = options.clock.monotonicMs() + runLimitMs - graceMs
  return Promise.all(checks.map((check) => runCheck(check, lastStartMs, options)))
}

async function runCheck(check: Check, untilMs: number, options: RunOptions): Promise<CheckResult> {
  const { clock, rng, signal } = options
  const startedAtMs = clock.monotonicMs()
  let attempts = 0
  for (;;) {
    attempts += 1
    const verdict = await attempt(check, untilMs - clock.monotonicMs(), options)
    const waitMs = backoffMs(attempts, retryBackoff, rng.next())
    const isTimeLeft = clock.monotonicMs() + waitMs < untilMs
    const isRetried =
      verdict.outcome === 'failed' && verdict.isTransient === true && attempts <= check.retries && isTimeLeft
    if (!isRetried || signal.aborted || !(await waited(waitMs, options))) {
      return {
        name: check.name,
        critical: check.isCritical,
        outcome: verdict.outcome,
        text: cutText(verdict.text),
        output: cutOutput(verdict.output ?? ''),
        durationMs: clock.monotonicMs() - startedAtMs,
        attempts,
      }
    }
  }
}

/** One attempt, of at most `leftMs` and the check's own timeout; a little longer for giving back what it holds. */
async function attempt(check: Check, leftMs: number, options: RunOptions): Promise<CheckVerdict> {
  const { clock, signal, log } = options
  if (signal.aborted) return stopped
  const limitMs = Math.min(check.timeoutMs, leftMs)
  const controller = new AbortController()
  const ended = guarded(() => check.run(controller.signal))
  const { promise: cut, resolve: stop } = Promise.withResolvers<'timeout' | 'stopped'>()
  const onAbort = () => stop('stopped')
  signal.addEventListener('abort', onAbort, { once: true })
  const timer = clock.after(limitMs, () => stop('timeout'))
  const first = await Promise.race([ended, cut])
  timer[Symbol.dispose]()
  signal.removeEventListener('abort', onAbort)
  if (typeof first !== 'string') return first

  controller.abort(new Error(first === 'timeout' ? 'the check timed out' : 'the run was stopped'))
  const { promise: graceOver, resolve: endGrace } = Promise.withResolvers<'left behind'>()
  using _grace = clock.after(graceMs, () => endGrace('left behind'))
  const late = await Promise.race([ended, graceOver])
  if (late === 'left behind')
    log.warn('a check ignored its signal and was left behind', { check: check.name })
  if (first === 'stopped') return stopped
  const output = late === 'left behind' ? '' : (late.output ?? '')
  if (limitMs < check.timeoutMs)
    return failed(
      `${check.name} did not finish within the ${duration(runLimitMs)} limit of the whole run.`,
      output,
    )
  const text = `${check.name} gave no result within ${duration(check.timeoutMs)}.`
  return check.isTimeoutTransient ? failedForNow(text, output) : failed(text, output)
}

const stopped = failed('The run was stopped before this check finished.')

async function guarded(run: () => Promise<CheckVerdict>): Promise<CheckVerdict> {
  try {
    return await run()
  } catch (thrown) {
    return failed(`The check could not run: ${messageOf(thrown)}`)
  }
}

/** False when the run was stopped meanwhile. */
async function waited(delayMs: number, { clock, signal }: RunOptions): Promise<boolean> {
  try {
    await sleep(clock, delayMs, signal)
    return true
  } catch {
    return false
  }
}

const cutText = (text: string): string => shortened(text, longestTextCharacters)
