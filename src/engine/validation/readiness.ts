import {
  limitName,
  share,
  shareBeside,
  writtenShare,
  type HostState,
  type ResourceLimits,
  type Use,
} from '../../contract/index.ts'
import { failed, passed, warned, type CheckVerdict } from './model.ts'
import type { HostFact, OtherDeployment } from './ports.ts'

/** Which limits of a host make it too full for one more release. */
const headroomKinds: readonly string[] = ['cpu', 'memory', 'disk']

const limitKeys = {
  cpu: 'maxCpuRatio',
  memory: 'maxMemoryRatio',
  disk: 'maxDiskRatio',
} as const satisfies Record<Use['kind'], keyof ResourceLimits>

/** Whether a plan looks at how full hosts are. */
export const hasResourceLimits = (limits: ResourceLimits | undefined): boolean =>
  limits !== undefined && Object.values(limits).some((limit) => limit !== null)

/**
 * Whether the hosts have room, by the limits of the plan and by those that are configured for the hosts. A host without
 * data is no room. Where the plan has limits, those of the hosts only warn, unless `areHostLimitsKept`: a plan that turns a
 * limit off is not held to another one for the same resource.
 */
export function judgeHeadroom(
  hosts: readonly HostFact[],
  limits?: ResourceLimits,
  areHostLimitsKept = !hasResourceLimits(limits),
): CheckVerdict {
  if (hosts.length === 0) return warned('No host is monitored, so host resources are unknown.')
  const { beyond, unmeasured } = againstPlan(hosts, limits)
  if (beyond.length > 0) return failed(`Not enough host resources: ${beyond.join('; ')}.`, beyond.join('\n'))
  const full = hosts.flatMap(({ name, state }) =>
    tightOf(state).map((limit) => ({ severity: limit.severity, text: tightText(name, limit) })),
  )
  const unknown = hosts.filter(({ state }) => state.quality.freshness === 'stale').map(({ name }) => name)
  const output = full.map(({ text }) => text).join('\n')
  const critical = full.filter(({ severity }) => severity === 'critical')
  if (critical.length > 0 && areHostLimitsKept)
    return failed(`Not enough host resources: ${critical.map(({ text }) => text).join('; ')}.`, output)
  const tight = [
    ...full.map(({ text }) => text),
    ...unknown.map((name) => `${name} is not reporting`),
    ...unmeasured,
  ]
  if (tight.length > 0) return warned(`Host resources may be short: ${tight.join('; ')}.`, output)
  return passed(
    `Enough host resources: ${hosts.length === 1 ? 'the host is' : `all ${hosts.length} hosts are`} below the limits.`,
  )
}

/**
 * Host resources above the limits of a plan, as clauses for display; empty while there is headroom. Hosts that do not
 * report are left out.
 */
export function missingRoom(hosts: readonly HostFact[], limits: ResourceLimits): string {
  const heard = hosts.filter(({ state }) => state.quality.freshness !== 'stale')
  return againstPlan(heard, limits).beyond.join('; ')
}

/** Resources above the limits of the plan, and those that were not measured, as clauses. */
function againstPlan(
  hosts: readonly HostFact[],
  limits: ResourceLimits | undefined,
): { beyond: string[]; unmeasured: string[] } {
  const beyond: string[] = []
  const unmeasured: string[] = []
  if (!limits) return { beyond, unmeasured }
  for (const { name, state } of hosts)
    for (const { kind, subject, ratio } of state.use) {
      const key = limitKeys[kind]
      const most = limits[key]
      if (most === null) continue
      const what = `${limitName({ kind, subject })} of ${name}`
      if (ratio === null) unmeasured.push(`${what} was not measured for long enough`)
      else if (ratio > most)
        beyond.push(
          `${what} is at ${shareBeside(most, ratio)}, limit ${writtenShare(most)} (deploy.resources.${key})`,
        )
    }
  return { beyond, unmeasured }
}

type LimitState = HostState['limits'][number]

const tightOf = ({ limits }: HostState): LimitState[] =>
  limits.filter(({ kind, severity }) => headroomKinds.includes(kind) && severity !== 'ok')

function tightText(host: string, { kind, subject, value, severity }: LimitState): string {
  const what = limitName({ kind, subject })
  if (severity === 'stale' || value === null) return `${what} of ${host} was not measured`
  return `${what} of ${host} is at ${share(value)}`
}

/**
 * Whether data are good enough to judge a candidate on. `countsTrouble` is why the router's counts cannot be read,
 * empty when they can: without them there is no judging at all.
 */
export function judgeDataQuality(hosts: readonly HostFact[], countsTrouble: string): CheckVerdict {
  if (countsTrouble !== '')
    return { ...failed(`Router counts cannot be read: ${countsTrouble}`), isTransient: true }
  const doubtful = hosts.filter(({ state }) => !state.quality.canBeJudged)
  const texts = doubtful.map(
    ({ name, state }) => `${name}: ${state.quality.reasons.join(', ') || 'unknown reason'}`,
  )
  if (texts.length > 0)
    return warned(
      `Data of ${doubtful.length} of ${hosts.length} hosts cannot be used: ${texts[0]}.`,
      texts.join('\n'),
    )
  return passed('Router counts and the data of all hosts can be used.')
}

/** Whether someone else is deploying the service. */
export function judgeExclusive(deploymentId: string, open: readonly OtherDeployment[]): CheckVerdict {
  const others = open.filter(({ id }) => id !== deploymentId)
  if (others.length === 0) return passed('No other deployment of this service is in progress.')
  const texts = others.map(
    ({ id, candidateReleaseId, createdBy }) => `${createdBy.name} is deploying ${candidateReleaseId} (${id})`,
  )
  return failed(`The service is already being deployed: ${texts.join('; ')}.`)
}
