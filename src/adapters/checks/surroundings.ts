import { once } from 'node:events'
import net from 'node:net'
import { homedir } from 'node:os'
import { parse } from 'node:path'
import type { Clock, Rng } from '../../base/index.ts'
import {
  directoryNamedBy,
  releaseEnvironment,
  withVariables,
  type AccountSettings,
} from '../../contract/index.ts'
import type { ValidationRequest } from '../../engine/deployments/index.ts'
import type { ValidationFacts, CheckVerdict } from '../../engine/validation/index.ts'

/** What checks reach beside the network and the files of this machine. */
export interface CheckSurroundings {
  clock: Clock
  rng: Rng
  facts: ValidationFacts
  /** Whom the service's programs run as; left out: as we do. */
  runsAs?: AccountSettings | undefined
}

/** One attempt of a check. It settles soon after the signal is aborted, and holds nothing then. */
export type Run = (request: ValidationRequest, signal: AbortSignal) => Promise<CheckVerdict>

/** `{service}` and `{release}` in a text of the configuration stand for the names. */
export const filledIn = (text: string, { service, release }: ValidationRequest): string =>
  text.replaceAll('{service}', service).replaceAll('{release}', release.id)

/** The environment that an instance of the release would have on `port`. */
export const instanceEnvironment = (
  { service, release }: ValidationRequest,
  port: number,
  rng: Rng,
): Record<string, string> =>
  releaseEnvironment(process.env, release, {
    service,
    releaseId: release.id,
    instanceId: `${release.id}-check-${rng.hex(4)}`,
    port,
  })

/** The environment of a check's own command: as an instance has it, and which deployment is validated. */
export const commandEnvironment = (
  request: ValidationRequest,
  own: Readonly<Record<string, string>>,
  port: number,
  rng: Rng,
): Record<string, string> => {
  const { release } = request
  const artifact = withVariables(release.artifact, own)
  return {
    ...instanceEnvironment({ ...request, release: { ...release, artifact } }, port, rng),
    PILOTHOUSE_STABLE_RELEASE: request.stableReleaseId ?? '',
    PILOTHOUSE_DEPLOYMENT: request.deploymentId,
  }
}

/** Where a release and the commands of its checks run. The engine's own directory is no place for either. */
export const directoryOf = ({ release }: ValidationRequest): string =>
  directoryNamedBy(release.artifact) ?? parse(homedir()).root

/** A port of this machine that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
