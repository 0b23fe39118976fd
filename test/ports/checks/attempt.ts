import { ok, type Clock } from '../../../src/base/index.ts'
import { checksFor } from '../../../src/adapters/checks/index.ts'
import { systemClock, systemRng } from '../../../src/adapters/system/index.ts'
import type { Release } from '../../../src/contract/index.ts'
import type { ValidationRequest } from '../../../src/engine/deployments/index.ts'
import {
  checkConfigSchema,
  type ValidationFacts,
  type CheckVerdict,
} from '../../../src/engine/validation/index.ts'

/** An engine that knows nothing yet. */
export const noFacts: ValidationFacts = {
  hosts: () => [],
  openDeployments: async () => ok([]),
  target: () => null,
  router: () => null,
  baseline: async () => ok(null),
}

export const requestOf = (artifact: Partial<Release['artifact']> = {}): ValidationRequest =>
  ({
    deploymentId: 'd1',
    service: 'shop',
    stableReleaseId: 'r1',
    plan: {},
    release: {
      service: 'shop',
      id: 'r2',
      artifact: { kind: 'command', argv: [process.execPath], env: {}, ...artifact },
      parameters: {},
    },
  }) as unknown as ValidationRequest

/** One attempt of the check as configured, without retries. */
export async function attempt(
  config: { kind: string } & Record<string, unknown>,
  {
    request = requestOf(),
    signal = new AbortController().signal,
    facts = noFacts,
    clock = systemClock(),
  }: { request?: ValidationRequest; signal?: AbortSignal; facts?: ValidationFacts; clock?: Clock } = {},
): Promise<CheckVerdict> {
  const parsed = checkConfigSchema.parse(config)
  const checks = checksFor([parsed], request, { clock, rng: systemRng(), facts })
  const check = checks.find(({ name }) => name === (parsed.name ?? parsed.kind))
  if (!check) throw new Error(`there is no check of kind ${config.kind}`)
  return check.run(signal)
}
