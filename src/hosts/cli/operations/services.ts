import { resolve } from 'node:path'
import {
  addressText,
  latencyText,
  noFigure,
  ofRelease,
  releaseOrder,
  releaseRole,
  routerText,
  share,
  targetText,
  terminalText,
  trafficShares,
  weightOf,
  weightText,
  type Comparison,
  type Instance,
  type Release,
  type ServiceState,
} from '../../../contract/index.ts'
import { table } from '../layout/index.ts'
import { type Output, exitCodes, report } from '../output.ts'
import type { Times } from '../times.ts'
import { confirmOrder } from './confirm.ts'
import { serviceNamed } from './service-named.ts'
import type { Session } from './session.ts'

/** `pilothouse services [NAME]`. */
export async function showServices(name: string | undefined, session: Session): Promise<number> {
  const { engine, out, times } = session
  const services = await engine.services.list()
  if (name === undefined) report(session, services, () => servicesText(services, out, times))
  else {
    const service = serviceNamed(name, services)
    report(session, service, () => serviceText(service, out, times))
  }
  return exitCodes.ok
}

/** `pilothouse services NAME restart`: one instance at a time. */
export async function restartService(
  {
    service,
    isConfirmed,
    ...which
  }: { service: string; releaseId?: string; instanceId?: string; why: string; isConfirmed: boolean },
  session: Session,
): Promise<number> {
  const { releaseId, instanceId } = which
  const whose = instanceId ?? (releaseId ? `instances of ${releaseId}` : 'instances')
  const restarted = await confirmOrder(
    {
      order: 'services.restart',
      service,
      effect: `${service}: restarts ${whose}, one at a time; each stops when its replacement is healthy`,
      isConfirmed,
    },
    session,
    () => session.engine.services.restart({ service, ...which }),
  )
  const { instanceIds } = restarted
  const what = instanceIds.length === 1 ? '1 instance' : `${instanceIds.length} instances, one at a time`
  report(
    session,
    restarted,
    () =>
      `Restarting ${what}: ${instanceIds.join(', ')}\nTo follow it, run: ${session.next(`services ${service}`)}\n`,
  )
  return exitCodes.ok
}

/** `pilothouse resume SERVICE`: automation goes on after an emergency rollback. */
export async function resumeService(
  service: string,
  { why, isConfirmed }: { why: string; isConfirmed: boolean },
  session: Session,
): Promise<number> {
  const state = await confirmOrder(
    {
      order: 'services.resume',
      service,
      effect: `${service}: automation resumes; waiting deployments start`,
      isConfirmed,
    },
    session,
    () => session.engine.services.resume({ service, why }),
  )
  report(session, state, () => `${service}: automation resumed\n`)
  return exitCodes.ok
}

/** `pilothouse releases SERVICE`, newest first. */
export async function listReleases(service: string, session: Session): Promise<number> {
  const { engine, out, times } = session
  const releases = await engine.releases.list({ service })
  // A mistyped name has none either.
  if (releases.length === 0) serviceNamed(service, await engine.services.list())
  report(session, releases, () =>
    releases.length === 0
      ? `No releases. Add one: ${session.next(`releases ${service} add ID -- COMMAND...`)}\n`
      : releasesText(releases, out, times),
  )
  return exitCodes.ok
}

export interface NewRelease {
  service: string
  id: string
  argv: string[]
  env: Record<string, string>
  cwd: string | undefined
  parameters: Record<string, string>
  note: string
}

/** `pilothouse releases SERVICE add ID -- ARGV...`: records it, runs nothing. */
export async function addRelease(
  { argv, env, cwd, ...release }: NewRelease,
  session: Session,
): Promise<number> {
  const { engine, config } = session
  const place = cwd === undefined ? {} : { cwd: resolve(config.system.workingDirectory, cwd) }
  const artifact = { kind: 'command' as const, argv, env, ...place }
  const added = await engine.releases.create({ ...release, artifact })
  report(
    session,
    added,
    () =>
      `${added.service}: added release ${added.id}\nTo deploy it, run: ${session.next(`deploy ${added.service} ${added.id} --watch`)}\n`,
  )
  return exitCodes.ok
}

/** `pilothouse releases SERVICE compare FROM TO`. */
export async function compareReleases(
  request: { service: string; from: string; to: string },
  session: Session,
): Promise<number> {
  const comparison = await session.engine.releases.compare(request)
  report(session, comparison, () => comparisonText(comparison, session.out))
  return exitCodes.ok
}

const serviceColumns = [
  { heading: 'SERVICE' },
  { heading: 'ENVIRONMENT', dropAt: 2 },
  { heading: 'TRAFFIC', isProse: true },
  { heading: 'INSTANCES', isProse: true },
  { heading: 'REQUESTS/S' },
  { heading: 'ERRORS' },
  { heading: 'ABANDONED', dropAt: 3 },
  { heading: 'P95' },
  { heading: 'ADDRESS', dropAt: 1 },
]

/** Services under each other, what is wrong with one below it. */
function servicesText(services: readonly ServiceState[], out: Output, times: Times): string {
  if (services.length === 0) return 'No services. Add one under services: in pilothouse.yaml.\n'
  const rows = services.map((service) => [
    service.name,
    service.environment,
    trafficText(service),
    instancesText(service.instances),
    ...sliCells(service, null),
    service.address,
  ])
  const troubles = services.flatMap((service) =>
    troubleLines(service, times).map((line) => `${service.name}: ${line}\n`),
  )
  const layout = { width: out.width, style: (heading: string) => out.style('dim', heading) }
  return table(serviceColumns, rows, layout) + troubles.join('')
}

const releaseColumns = [
  { heading: 'RELEASE' },
  { heading: 'ROLE' },
  { heading: 'TRAFFIC' },
  { heading: 'REQUESTS/S' },
  { heading: 'ERRORS' },
  { heading: 'ABANDONED', dropAt: 1 },
  { heading: 'P95' },
]

const instanceColumns = [
  { heading: 'INSTANCE' },
  { heading: 'RELEASE' },
  { heading: 'STATE' },
  { heading: 'ADDRESS', dropAt: 1 },
  { heading: 'IN FLIGHT', dropAt: 2 },
  { heading: 'RESTARTS' },
  { heading: 'REASON', isProse: true },
]

/** One service with its releases and instances. */
function serviceText(service: ServiceState, out: Output, times: Times): string {
  const { name, environment, address, weights, instances, capabilities } = service
  const ids = Object.keys(weights).toSorted(releaseOrder(service))
  const releases = ids.map((id) => [
    id,
    releaseRole(service, id) ?? '',
    weightText(weightOf(weights, id)),
    ...sliCells(service, id),
  ])
  const copies = instances.map(
    ({ id, releaseId, state, reason, address: reached, restartCount, inFlight }) => [
      id,
      releaseId,
      state,
      addressText(reached),
      String(inFlight),
      String(restartCount),
      terminalText(reason),
    ],
  )
  const layout = { width: out.width, indent: 2, style: (heading: string) => out.style('dim', heading) }
  return [
    `${out.style('bold', name)}  ${environment}  ${address}\n`,
    ...troubleLines(service, times).map((line) => `${out.style('red', line)}\n`),
    service.deploymentId ? `Deployment ${service.deploymentId}\n` : '',
    ...(capabilities ? [...routerText(capabilities), ...targetText(capabilities)] : []).map(
      (line) => `${line}\n`,
    ),
    `\nReleases\n${table(releaseColumns, releases, layout)}`,
    copies.length === 0 ? '\nNo instances.\n' : `\nInstances\n${table(instanceColumns, copies, layout)}`,
  ].join('')
}

const troubleLines = (service: ServiceState, times: Times): string[] =>
  service.concerns.map(({ kind, text, detail }) => {
    const { automationStopped: stopped } = service
    const who =
      kind === 'automation-stopped' && stopped ? ` by ${stopped.by.name}, ${times.day(stopped.atMs)}` : ''
    return terminalText(`${text}${who}${detail === '' ? '' : `: ${detail}`}`)
  })

const trafficText = (service: ServiceState): string =>
  trafficShares(service)
    .map(({ releaseId, percent }) => `${releaseId} ${weightText(percent)}`)
    .join(', ') || 'none'

const instancesText = (instances: readonly Instance[]): string =>
  `${instances.filter(({ state }) => state === 'healthy').length} of ${instances.length} healthy`

/** Of one release, or of the whole service, which has them under the empty name. */
function sliCells({ sli }: ServiceState, releaseId: string | null): string[] {
  const figures = ofRelease(sli, releaseId ?? '')
  return figures
    ? [
        figures.requestsPerSecond.toFixed(1),
        share(figures.errorRatio),
        share(figures.abandonedRatio ?? null),
        latencyText(figures.p95Ms),
      ]
    : [noFigure, noFigure, noFigure, noFigure]
}

const listedColumns = [
  { heading: 'RELEASE' },
  { heading: 'CREATED' },
  { heading: 'BY', dropAt: 1 },
  { heading: 'NOTE', isProse: true },
]

function releasesText(releases: readonly Release[], out: Output, times: Times): string {
  const rows = releases.map(({ id, createdAtMs, createdBy, note }) => [
    id,
    times.moment(createdAtMs),
    terminalText(createdBy.name),
    terminalText(note),
  ])
  return table(listedColumns, rows, { width: out.width, style: (heading) => out.style('dim', heading) })
}

function comparisonText({ from, to, differences, metrics }: Comparison, out: Output): string {
  const cell = (metric: string, value: number | null) =>
    value === null
      ? noFigure
      : metric === 'errorRatio'
        ? share(value)
        : metric === 'requestsPerSecond'
          ? value.toFixed(1)
          : latencyText(value)
  const columns = [
    { heading: 'DIFFERENCE' },
    { heading: from.id, isProse: true },
    { heading: to.id, isProse: true },
  ]
  const rows = [
    ...differences.map((each) => [
      each.path,
      terminalText(each.from ?? noFigure),
      terminalText(each.to ?? noFigure),
    ]),
    ...metrics.map((each) => [each.metric, cell(each.metric, each.from), cell(each.metric, each.to)]),
  ]
  return table(columns, rows, { width: out.width, style: (heading) => out.style('dim', heading) })
}
