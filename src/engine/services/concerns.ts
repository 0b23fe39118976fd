import {
  enoughRequests,
  roughDuration,
  shareBeside,
  took,
  weightOf,
  writtenShare,
  type Concern,
  type Instance,
  type RecentFailures,
  type ServiceState,
} from '../../contract/index.ts'

/** What concerns are decided on. */
export type ServiceFacts = Pick<
  ServiceState,
  | 'weights'
  | 'instances'
  | 'trouble'
  | 'automationStopped'
  | 'stableReleaseId'
  | 'maxErrorRatio'
  | 'failures'
  | 'latency'
  | 'listenTrouble'
  | 'refusal'
  | 'keepTrouble'
  | 'changedReleaseIds'
  | 'address'
>

/** How long a restart is worth a look, ms. */
const recentMs = 10 * 60_000

/** From this share of failed requests on a service is down for its users, whatever its instances say. */
const outageRatio = 0.5
const leastForOutage = 10

/** Some clients always leave early. A larger share than this, beyond chance, is worth a look. */
const usualAbandonedRatio = 0.2

/**
 * What is wrong with a service now, worst first: no port or refused settings, traffic without a healthy instance or to no release, most requests failing or
 * abandoned, a router,
 * target or store in trouble, a stable release whose requests fail or got slower, instances that take no requests or restarted lately,
 * stopped automation. What a candidate does is shown with its deployment. `nowMs` is the engine's time; a concern that was
 * among those `before` keeps its start.
 */
export function serviceConcerns(
  service: ServiceFacts,
  nowMs: number,
  before: readonly Concern[] = [],
): Concern[] {
  const { weights, instances, trouble, automationStopped: stopped, stableReleaseId, maxErrorRatio } = service
  const withTraffic = Object.keys(weights).filter((id) => weightOf(weights, id) > 0)
  const ofTraffic = instances.filter(({ releaseId }) => withTraffic.includes(releaseId))
  const concerns: Concern[] = []
  const add = (
    kind: Concern['kind'],
    severity: Concern['severity'],
    text: string,
    detail = '',
    startedAtMs = nowMs,
  ) =>
    concerns.push({
      kind,
      severity,
      text,
      detail,
      sinceMs: before.find((each) => each.kind === kind)?.sinceMs ?? startedAtMs,
    })

  if (service.listenTrouble)
    add('not-listening', 'critical', `is not listening on ${service.address}`, service.listenTrouble)

  if (service.refusal)
    add(
      'refused',
      withTraffic.length > 0 ? 'warning' : 'critical',
      'its settings were rejected',
      service.refusal,
    )

  const deserted = withTraffic.filter(
    (id) => !ofTraffic.some(({ releaseId, state }) => releaseId === id && state === 'healthy'),
  )
  if (deserted.length > 0)
    add(
      'no-healthy-instance',
      'critical',
      `${deserted.join(' and ')} ${deserted.length === 1 ? 'has' : 'have'} traffic but no healthy instance`,
      reasonOf(ofTraffic.filter(({ releaseId }) => deserted.includes(releaseId))) || trouble,
    )
  if (stableReleaseId !== null && withTraffic.length === 0 && trouble === '')
    add('no-traffic', 'critical', 'no release has traffic', 'the router answers every request with 503')
  const { failures } = service
  if (stableReleaseId !== null && failures && isOver(failures, maxErrorRatio)) {
    const isOutage = failures.requests >= leastForOutage && failures.errors / failures.requests >= outageRatio
    add(
      'errors',
      isOutage ? 'critical' : 'warning',
      `${stableReleaseId} fails ${shareText(failures, maxErrorRatio)}, limit ${writtenShare(maxErrorRatio)}`,
    )
  }
  const left = failures && abandonmentOf(failures)
  if (stableReleaseId !== null && left && isOver(left, usualAbandonedRatio)) {
    const isOutage = left.requests >= leastForOutage && left.errors / left.requests >= outageRatio
    add(
      'abandoned',
      isOutage ? 'critical' : 'warning',
      `clients gave up on ${shareText(left, usualAbandonedRatio)} to ${stableReleaseId}`,
    )
  }
  if (trouble !== '') add('trouble', 'warning', 'its router or target does not respond as it should', trouble)
  if (service.keepTrouble)
    add('not-kept', 'warning', 'changes are lost if the edge restarts', service.keepTrouble)

  const { latency } = service
  if (stableReleaseId !== null && latency?.isSlower)
    add(
      'latency',
      'warning',
      `${stableReleaseId} is slow: p95 latency ${took(latency.p95Ms)} in the last ${roughDuration(latency.windowMs)} (usual: ${took(latency.usualP95Ms)})`,
    )

  const changed = (service.changedReleaseIds ?? []).filter((id) =>
    instances.some(({ releaseId, state }) => releaseId === id && state !== 'draining'),
  )
  if (changed.length > 0)
    add(
      'release-changed',
      'warning',
      `${changed.join(' and ')} ${changed.length === 1 ? 'runs with its settings from' : 'run with their settings from'} before the configuration file changed`,
      changedReleaseRemedy,
    )

  const isHurt = ({ state, releaseId }: Instance) =>
    (state === 'unhealthy' || state === 'down') && !deserted.includes(releaseId)
  const hurt = ofTraffic.filter(isHurt)
  if (hurt.length > 0) {
    const releases = [...new Set(hurt.map(({ releaseId }) => releaseId))]
    const all = ofTraffic.filter(({ releaseId }) => releases.includes(releaseId))
    const verb = hurt.length === 1 ? 'takes' : 'take'
    const text = `${hurt.length} of ${all.length} instances of ${releases.join(' and ')} ${verb} no requests`
    add('instances-down', 'warning', text, reasonOf(hurt))
  }

  const restarts = ofTraffic
    .flatMap(({ releaseId, restartCount, lastRestart }) =>
      lastRestart && !lastRestart.isPlanned && nowMs - lastRestart.atMs < recentMs
        ? [{ releaseId, restartCount, ...lastRestart }]
        : [],
    )
    .sort((a, b) => b.atMs - a.atMs)
  const [last] = restarts
  if (last) {
    const times = last.restartCount === 1 ? 'once' : `${last.restartCount} times`
    const who =
      restarts.length === 1
        ? `an instance of ${last.releaseId} restarted, ${times} so far`
        : `${restarts.length} instances restarted`
    add('restarts', 'warning', who, last.reason)
  }

  const unlogged = instances.filter(({ logTrouble }) => logTrouble)
  if (unlogged.length > 0) {
    const whose = unlogged.length === 1 ? '1 instance' : `${unlogged.length} instances`
    add('logs', 'warning', `the output of ${whose} is not saved`, unlogged[0]?.logTrouble)
  }

  if (stopped) add('automation-stopped', 'warning', 'automation is stopped', stopped.reason, stopped.atMs)
  return concerns.sort((a, b) => rank[a.severity] - rank[b.severity])
}

/** What helps where a file describes a release otherwise than it is on record. */
export const changedReleaseRemedy =
  'Releases are immutable. To run what the file says, give the release a new name there and deploy it'

const rank: Record<Concern['severity'], number> = { critical: 0, warning: 1 }

/** Of few requests more must fail than chance explains: by three standard deviations of a count. */
function isOver({ requests, errors }: RecentFailures, limit: number): boolean {
  if (requests >= enoughRequests) return errors / requests > limit
  const expected = requests * limit
  return errors - expected > 3 * Math.sqrt(Math.max(1, expected))
}

const shareText = ({ requests, errors, windowMs }: RecentFailures, limit: number): string =>
  `${shareBeside(limit, errors / requests)} of requests (${errors} of ${requests} in the last ${roughDuration(windowMs)})`

/** Of all recent requests, those whose client left without a response, in the place of the failed ones. */
const abandonmentOf = ({ requests, abandoned = 0, windowMs }: RecentFailures): RecentFailures => ({
  requests: requests + abandoned,
  errors: abandoned,
  windowMs,
})

const reasonOf = (instances: readonly Instance[]): string =>
  instances.find(({ reason }) => reason !== '')?.reason ?? ''
