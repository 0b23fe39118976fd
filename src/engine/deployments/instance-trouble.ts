import type { FailedInstance, Instance } from '../../contract/index.ts'
import type { TargetReport } from '../platforms/index.ts'

/**
 * Instances of a release that are failing or have failed, each with its newest reason. Those that fail now come first,
 * then the newest failure. A restart that a person asked for is not a failure.
 */
export function failedInstances(releaseId: string, { instances }: TargetReport): FailedInstance[] {
  return instances
    .filter((each) => each.releaseId === releaseId)
    .flatMap((each) => {
      const failed = failureOf(each)
      return failed ? [{ failed, isFailing: isFailing(each) }] : []
    })
    .sort((a, b) => Number(b.isFailing) - Number(a.isFailing) || (b.failed.atMs ?? 0) - (a.failed.atMs ?? 0))
    .map(({ failed }) => failed)
}

/**
 * The failed instances after another observation. One that is gone or is being stopped keeps what was seen last. One
 * that is healthy and never restarted has not failed, whatever its health check said while it started.
 */
export function failuresAfter(
  known: readonly FailedInstance[],
  releaseId: string,
  target: TargetReport,
): FailedInstance[] {
  const failed = failedInstances(releaseId, target)
  const seen = new Set(failed.map(({ id }) => id))
  const well = new Set(target.instances.filter(({ state }) => state === 'healthy').map(({ id }) => id))
  return [...failed, ...known.filter(({ id }) => !seen.has(id) && !well.has(id))]
}

const isFailing = ({ state, reason }: Instance): boolean =>
  (state === 'down' || state === 'unhealthy') && reason !== ''

function failureOf(instance: Instance): FailedInstance | null {
  const { id, state, reason, restartCount, lastRestart } = instance
  const ended = lastRestart && !lastRestart.isPlanned ? lastRestart : null
  const atMs = ended?.atMs ?? null
  if (isFailing(instance)) return { id, reason: currentReason(reason), restartCount, atMs }
  if (ended) return { id, reason: ended.reason, restartCount, atMs }
  // An instance that does not answer while it starts has not failed yet, but that is all there is to say about one
  // that never becomes healthy.
  return state === 'starting' && reason !== ''
    ? { id, reason: currentReason(reason), restartCount, atMs }
    : null
}

/** Cuts a reason before what follows from it: "exited with code 1; starts again in 2 s". */
const currentReason = (reason: string): string => reason.split('; starts again')[0] ?? reason
