import type { Deployment } from '../../contract/index.ts'

/** The part of a deployment that the release line needs. */
export type LineDeployment = Pick<
  Deployment,
  'candidateReleaseId' | 'stableReleaseId' | 'plan' | 'phase' | 'reached'
>

/**
 * The releases of a service that may serve, oldest first and the stable one last. The second to last is what an undo
 * brings back. A release that an undo left, or that was rolled back from traffic, is not among them until it is
 * promoted again. `deployments` are oldest first and have ended, or are retiring the release they left.
 */
export function releaseLine(deployments: readonly LineDeployment[]): string[] {
  return deployments.reduce<string[]>((line, deployment) => {
    const { candidateReleaseId: candidate, phase } = deployment
    const hasLeft = phase === 'rolled_back' || phase === 'failed'
    // A deployment without traffic says nothing about its release: a check may have failed, or someone aborted it.
    if (hasLeft) return deployment.reached === null ? line : without(line, [candidate])
    return compact(promoted(line, deployment))
  }, [])
}

function promoted(line: readonly string[], deployment: LineDeployment): string[] {
  const { candidateReleaseId: candidate, stableReleaseId: stable, plan } = deployment
  const at = stable === null ? [...line] : standingAt(line, stable)
  if (!plan.isUndo) return [...at, candidate]
  const place = at.lastIndexOf(candidate)
  const left = place < 0 ? at.slice(-1) : at.slice(place + 1)
  return [...without(at.slice(0, place < 0 ? -1 : place), left), candidate]
}

/** The line with `stable` as its end: releases above it were left without a deployment on record. */
function standingAt(line: readonly string[], stable: string): string[] {
  const place = line.lastIndexOf(stable)
  return place < 0 ? [...line, stable] : without(line.slice(0, place), line.slice(place + 1)).concat(stable)
}

const without = (line: readonly string[], left: readonly string[]): string[] =>
  compact(line.filter((releaseId) => !left.includes(releaseId)))

const compact = (line: readonly string[]): string[] =>
  line.filter((releaseId, i) => releaseId !== line[i - 1])

/** The release that an undo brings back; null when every earlier one was itself left. */
export const releaseBefore = (line: readonly string[]): string | null => line.at(-2) ?? null

/** Whether going to `releaseId` is going back. Going to a release that was left is a new attempt instead. */
export const isBehind = (line: readonly string[], releaseId: string): boolean =>
  line.slice(0, -1).includes(releaseId)
