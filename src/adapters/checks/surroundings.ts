import type { Clock, Rng } from '../../engine/core/index.ts'
import type { ValidationRequest } from '../../engine/deployments/index.ts'
import type { ValidationFacts, Verdict } from '../../engine/validation/index.ts'

/** What checks reach beside the network and the files of this machine. */
export interface Surroundings {
  clock: Clock
  rng: Rng
  facts: ValidationFacts
}

/** One attempt of a check. It settles soon after the signal is aborted, and holds nothing then. */
export type Run = (request: ValidationRequest, signal: AbortSignal) => Promise<Verdict>

/** `{service}` and `{release}` in a text of the configuration stand for the names. */
export const filledIn = (text: string, { service, release }: ValidationRequest): string =>
  text.replaceAll('{service}', service).replaceAll('{release}', release.id)

/** What a command learns of the release, in its environment. */
export const environmentOf = (request: ValidationRequest): Record<string, string> => ({
  PILOTHOUSE_SERVICE: request.service,
  PILOTHOUSE_RELEASE: request.release.id,
  PILOTHOUSE_STABLE_RELEASE: request.stableReleaseId ?? '',
  PILOTHOUSE_DEPLOYMENT: request.deploymentId,
})
