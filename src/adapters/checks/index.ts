import type { ValidationRequest } from '../../engine/deployments/index.ts'
import {
  checkNameOf,
  hasResourceLimits,
  judgeFreeze,
  scanForSecrets,
  withDefaultChecks,
  type Check,
  type CheckConfig,
} from '../../engine/validation/index.ts'
import { artifactCheck } from './artifact.ts'
import { commandCheck } from './command.ts'
import { dnsCheck } from './dns.ts'
import { dataQualityCheck, exclusiveCheck, headroomCheck } from './engine-checks.ts'
import { httpCheck } from './http.ts'
import { loadCheck } from './load.ts'
import { postgresqlCheck } from './postgresql.ts'
import { reachableCheck } from './reachable.ts'
import { redisCheck } from './redis.ts'
import { reportsCheck } from './reports.ts'
import type { Run, CheckSurroundings } from './surroundings.ts'
import { tcpCheck } from './tcp.ts'
import { tlsCheck } from './tls.ts'

export type { CheckSurroundings } from './surroundings.ts'

/** What an undo is held to: whether the release can run, and whether anyone else is at it. Nothing else stands in the way back. */
const onTheWayBack: readonly CheckConfig['kind'][] = ['artifact', 'reachable', 'exclusive']

/** The checks of a release: those that every deployment has and the ones written for its service. */
export function checksFor(
  written: readonly CheckConfig[],
  request: ValidationRequest,
  surroundings: CheckSurroundings,
): Check[] {
  const all = withDefaultChecks(written)
  const wanted = request.plan.isUndo ? all.filter(({ kind }) => onTheWayBack.includes(kind)) : all
  return wanted.map((config) => {
    const run = runOf(config, surroundings)
    return {
      name: checkNameOf(config),
      // What a plan asks for, it is held to.
      isCritical:
        config.critical || (config.kind === 'headroom' && hasResourceLimits(request.plan.resources)),
      timeoutMs: config.timeoutMs,
      retries: config.retries,
      isTimeoutTransient: config.kind !== 'command' && config.kind !== 'load',
      run: (signal) => run(request, signal),
    }
  })
}

function runOf(config: CheckConfig, surroundings: CheckSurroundings): Run {
  const { clock, facts } = surroundings
  switch (config.kind) {
    case 'command':
      return commandCheck(config, surroundings)
    case 'reports':
      return reportsCheck(config, clock)
    case 'secrets':
      return async ({ release }) => scanForSecrets(release, config.allow)
    case 'load':
      return loadCheck(config, surroundings)
    case 'http':
      return httpCheck(config)
    case 'tcp':
      return tcpCheck(config)
    case 'dns':
      return dnsCheck(config)
    case 'tls':
      return tlsCheck(config, clock)
    case 'postgresql':
      return postgresqlCheck(config)
    case 'redis':
      return redisCheck(config)
    case 'freeze':
      return async () => judgeFreeze(config.windows, clock.nowMs())
    case 'artifact':
      return artifactCheck
    case 'reachable':
      return reachableCheck(facts)
    case 'headroom':
      return headroomCheck(config.critical, facts)
    case 'data-quality':
      return dataQualityCheck(facts)
    case 'exclusive':
      return exclusiveCheck(facts)
  }
}
