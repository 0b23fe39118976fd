import { stripVTControlCharacters } from 'node:util'
import { AppError, fail, ok, type Clock, type Result, type Rng } from '../../base/index.ts'
import { duration, type AccountSettings, type Hook, type Release } from '../../contract/index.ts'
import type { HookContext, HookOutcome, HookRunner } from '../../engine/deployments/index.ts'
import { endText, runCommand } from '../commands/index.ts'
import { Redactor } from '../log/index.ts'
import { environmentOf } from './environment.ts'
import { payloadOf } from './payload.ts'
import { addressOf, callWebhook } from './webhook.ts'

interface HookProgram {
  /** The release that a hook is about; null where it cannot be read. */
  release: Release | null
  /** Where scripts run. */
  directory: string
  /** Whom they run as; left out: as we do. */
  runsAs?: AccountSettings | undefined
}

export interface HookSurroundings {
  clock: Clock
  rng: Rng
  /** Where people reach the screens; null where it is not known. */
  origin: () => string | null
  program: (context: HookContext) => Promise<HookProgram>
}

/**
 * Scripts without a shell, in a process group of their own that is killed at the hook's timeout, and webhooks. A hook
 * that fails or takes too long is an outcome; one that the engine stopped is UNAVAILABLE, as it says nothing.
 */
export function hookRunner(surroundings: HookSurroundings): HookRunner {
  return {
    async run(hook, context, signal): Promise<Result<HookOutcome>> {
      const late = new AbortController()
      using _timer = surroundings.clock.after(hook.timeoutMs, () => late.abort())
      const either = AbortSignal.any([signal, late.signal])
      const outcome = await attempt(hook, context, either, surroundings)
      if (late.signal.aborted && !outcome?.isSuccess)
        return ok({
          isSuccess: false,
          text: `The hook ${hook.name} took longer than ${duration(hook.timeoutMs)} and was stopped.`,
          output: outcome?.output ?? '',
        })
      if (signal.aborted || !outcome)
        return fail(
          new AppError('UNAVAILABLE', `The hook ${hook.name} was stopped because the engine stopped.`),
        )
      return ok(outcome)
    },
  }
}

const longestLine = 300

/** What it said last is mostly why it failed. */
function withLastLine(text: string, output: string): string {
  const line = stripVTControlCharacters(
    output
      .trimEnd()
      .split(/[\r\n]+/)
      .at(-1) ?? '',
  )
  const shown = new Redactor().text(line.slice(-longestLine).replace(/\p{C}/gu, ' ').trim())
  return shown === '' ? text : `${text} Output: ${shown}`
}

/** Null when the signal ended it before there was an answer. */
async function attempt(
  { name, run }: Hook,
  context: HookContext,
  signal: AbortSignal,
  surroundings: HookSurroundings,
): Promise<HookOutcome | null> {
  if (run.kind === 'webhook') {
    const address = await addressOf(run)
    if (!address.ok) return { isSuccess: false, text: address.error.message, output: '' }
    try {
      return await callWebhook(address.value, payloadOf(run, context, surroundings.origin()), context, signal)
    } catch (thrown) {
      if (signal.aborted) return null
      throw thrown
    }
  }
  const { release, directory, runsAs } = await surroundings.program(context)
  const env = environmentOf(context, release)
  const end = await runCommand({ argv: run.argv, cwd: directory, env, runsAs, signal }, surroundings)
  const isSuccess = end.kind === 'exited' && end.code === 0
  const text = `The hook ${name} ${endText(end)}.`
  return { isSuccess, text: isSuccess ? text : withLastLine(text, end.output), output: end.output }
}
