import { request as httpRequest } from 'undici'
import { sleep } from '../../base/index.ts'
import type { Artifact } from '../../contract/index.ts'
import type { ValidationRequest } from '../../engine/deployments/index.ts'
import { failed, failedForNow, type CheckVerdict } from '../../engine/validation/index.ts'
import { endText, runCommand } from '../commands/index.ts'
import { directoryOf, freePort, instanceEnvironment, type CheckSurroundings } from './surroundings.ts'

const pollMs = 100

/**
 * Starts one copy of the release on a free port of this machine, hands over its address once `path` answers with less
 * than 500, and ends the copy with all it started. It serves nobody: no router knows it.
 */
export async function withCopy(
  request: ValidationRequest,
  path: string,
  surroundings: CheckSurroundings,
  signal: AbortSignal,
  use: (address: string, signal: AbortSignal) => Promise<CheckVerdict>,
): Promise<CheckVerdict> {
  const { artifact, id } = request.release
  const port = await freePort()
  const address = `http://127.0.0.1:${port}`
  const over = new AbortController()
  const ended = runCommand(
    {
      argv: commandOf(artifact, port),
      cwd: directoryOf(request),
      env: instanceEnvironment(request, port, surroundings.rng),
      runsAs: surroundings.runsAs,
      signal: AbortSignal.any([signal, over.signal]),
    },
    surroundings,
  )
  const gone = new AbortController()
  void ended.then(() => gone.abort(new Error('the copy has ended')))
  const stop = AbortSignal.any([signal, gone.signal])
  let verdict: CheckVerdict | undefined
  try {
    if (await answers(address + path, surroundings, stop)) verdict = await use(address, stop)
  } finally {
    over.abort()
  }
  const wasGone = gone.signal.aborted
  const end = await ended
  if (wasGone && !signal.aborted)
    return failed(`The copy of ${id} stopped too early: it ${endText(end)}.`, end.output)
  if (!verdict) return failedForNow(`The copy of ${id} did not answer in time.`, end.output)
  return verdict
}

/** What starts a copy that listens on `port`. */
function commandOf(artifact: Artifact, port: number): string[] {
  switch (artifact.kind) {
    case 'command':
      return artifact.argv.map((argument) => argument.replaceAll('{port}', String(port)))
  }
}

/** Resolves with false when stopped. */
async function answers(url: string, { clock }: CheckSurroundings, stop: AbortSignal): Promise<boolean> {
  while (!stop.aborted) {
    try {
      const { statusCode, body } = await httpRequest(url, { signal: stop })
      await body.dump({ limit: 1024 * 1024, signal: stop })
      if (statusCode < 500) return true
    } catch {
      // Not yet.
    }
    await sleep(clock, pollMs, stop).catch(() => undefined)
  }
  return false
}
