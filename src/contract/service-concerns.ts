import { enoughRequests, type Instance, type RecentFailures, type ServiceState } from './services.ts'

/** Something about a service that a person should know. */
export interface Concern {
  kind: 'no-healthy-instance' | 'trouble' | 'errors' | 'instances-down' | 'restarts' | 'automation-stopped'
  severity: 'critical' | 'warning'
  /** A sentence without the name of the service and without its end. */
  text: string
  /** The reason as somebody else gave it: text of others. Empty when there is none. */
  detail: string
}

/** How long a restart is worth a look, ms. */
const recentMs = 10 * 60_000

/**
 * What is wrong with a service now, worst first: traffic without a healthy instance, a router, target or store in trouble, a
 * stable release whose requests fail, instances that take no requests or were started again lately, automation that waits.
 * What a candidate does is for its deployment to say. `nowMs` is the engine's.
 */
export function serviceConcerns(service: ServiceState, nowMs: number): Concern[] {
  const { weights, instances, trouble, automationStopped: stopped, stableReleaseId, maxErrorRatio } = service
  const withTraffic = Object.keys(weights).filter((id) => (weights[id] ?? 0) > 0)
  const ofTraffic = instances.filter(({ releaseId }) => withTraffic.includes(releaseId))
  const concerns: Concern[] = []
  const add = (kind: Concern['kind'], severity: Concern['severity'], text: string, detail = '') =>
    concerns.push({ kind, severity, text, detail })

  const deserted = withTraffic.filter(
    (id) => !ofTraffic.some(({ releaseId, state }) => releaseId === id && state === 'healthy'),
  )
  if (deserted.length > 0)
    add(
      'no-healthy-instance',
      'critical',
      `${deserted.join(' and ')} ${deserted.length === 1 ? 'has' : 'have'} traffic and no healthy instance`,
      reasonOf(ofTraffic.filter(({ releaseId }) => deserted.includes(releaseId))) || trouble,
    )
  if (trouble !== '') add('trouble', 'warning', 'cannot be steered as it should', trouble)

  const { failures } = service
  if (stableReleaseId !== null && failures && isOver(failures, maxErrorRatio))
    add(
      'errors',
      'warning',
      `${stableReleaseId} fails ${shareText(failures)}; the limit is ${percent(maxErrorRatio)}`,
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
      lastRestart && nowMs - lastRestart.atMs < recentMs ? [{ releaseId, restartCount, ...lastRestart }] : [],
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

  if (stopped) add('automation-stopped', 'warning', 'automation is stopped', stopped.reason)
  return concerns
}

/** Of few requests more must fail than chance explains: by three standard deviations of a count. */
function isOver({ requests, errors }: RecentFailures, limit: number): boolean {
  if (requests >= enoughRequests) return errors / requests > limit
  const expected = requests * limit
  return errors - expected > 3 * Math.sqrt(Math.max(1, expected))
}

const shareText = ({ requests, errors, windowMs }: RecentFailures): string =>
  `${percent(errors / requests)} of requests (${errors} of ${requests} in the last ${spanText(windowMs)})`

const spanText = (ms: number): string =>
  ms < 90_000 ? `${Math.max(1, Math.round(ms / 1000))} s` : `${Math.round(ms / 60_000)} min`

const reasonOf = (instances: readonly Instance[]): string =>
  instances.find(({ reason }) => reason !== '')?.reason ?? ''

/** With a digit more than limits have, so that what is over one does not read like it. */
const percent = (ratio: number): string => `${Number((ratio * 100).toPrecision(3))} %`
