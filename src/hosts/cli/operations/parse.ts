import { InvalidArgumentError } from 'commander'
import type { PlanOptions, Step } from '../../../contract/index.ts'
import { parseDurationMs, readPlanOptions } from '../../../engine/config/index.ts'

/** A duration of the command line, ms. Throws commander's InvalidArgumentError. */
export function durationArgument(text: string): number {
  const durationMs = parseDurationMs(text)
  if (durationMs === undefined)
    throw new InvalidArgumentError('expected a duration with its unit, such as 30s, 10m or 1h')
  return durationMs
}

const howToWriteSteps = 'write weight:hold, such as 5:1m or 50:10m:gate, separated by commas'

/**
 * `5:1m,25:2m,50:5m:gate` as steps: weight in percent, how long it holds, and whether it waits for approval first.
 * A step that holds for no time is not judged. Throws commander's InvalidArgumentError.
 */
export function stepsArgument(text: string): Step[] {
  return text.split(',').map((written) => {
    const [weight = '', hold = '', gate, ...rest] = written.trim().split(':')
    const percent = /^\d+(\.\d+)?%?$/.test(weight) ? Number.parseFloat(weight) : NaN
    if (percent > 100)
      throw new InvalidArgumentError(
        `"${written}" is not a step: a weight is at most 100%; ${howToWriteSteps}`,
      )
    const holdMs = parseDurationMs(hold)
    const isGateKnown = gate === undefined || gate === 'gate'
    if (Number.isNaN(percent) || holdMs === undefined || !isGateKnown || rest.length > 0)
      throw new InvalidArgumentError(`"${written}" is not a step; ${howToWriteSteps}`)
    return { weight: percent, holdMs, analysis: holdMs > 0, gate: gate === 'gate' }
  })
}

/** `KEY=VALUE`, given any number of times. Throws commander's InvalidArgumentError. */
export function pairArgument(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('expected NAME=VALUE')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}

/** A whole number from 1 to `most`. Throws commander's InvalidArgumentError. */
export const countArgument =
  (most: number) =>
  (text: string): number => {
    const count = Number(text)
    if (!Number.isInteger(count) || count < 1 || count > most)
      throw new InvalidArgumentError(`expected a whole number from 1 to ${most}`)
    return count
  }

/** What `--set` named, as options of a plan. Throws BAD_INPUT with every mistake. */
export function planOptionsSet(written: Readonly<Record<string, string>>): PlanOptions {
  const options = readPlanOptions(written, '--set')
  if (!options.ok) throw options.error
  return options.value
}
