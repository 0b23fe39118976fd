import {
  serviceConcerns,
  type Comparison,
  type Instance,
  type Release,
  type ServiceState,
} from '../../../contract/index.ts'
import { exitCodes, type Output } from '../output.ts'
import { serviceNamed } from './service-named.ts'
import { jsonText, type Session } from './session.ts'
import { columns, harmless, millisecondsText, momentText, ratioText } from './words.ts'

/** `pilothouse services [NAME]`. */
export async function showServices(
  name: string | undefined,
  { engine, out, isJson }: Session,
): Promise<number> {
  const services = await engine.services.list()
  if (name === undefined) {
    out.write(isJson ? jsonText(services) : servicesText(services, out))
    return exitCodes.ok
  }
  const service = serviceNamed(name, services)
  out.write(isJson ? jsonText(service) : serviceText(service, out))
  return exitCodes.ok
}

/** `pilothouse resume SERVICE`: automation goes on after an emergency rollback. */
export async function resumeService(
  service: string,
  why: string,
  { engine, out, isJson }: Session,
): Promise<number> {
  const state = await engine.services.resume({ service, why })
  out.write(isJson ? jsonText(state) : `${service}: automation goes on\n`)
  return exitCodes.ok
}

/** `pilothouse releases SERVICE`, newest first. */
export async function listReleases(service: string, { engine, out, isJson }: Session): Promise<number> {
  const releases = await engine.releases.list({ service })
  // A mistyped name has none either.
  if (releases.length === 0) serviceNamed(service, await engine.services.list())
  out.write(isJson ? jsonText(releases) : releasesText(releases))
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

/** `pilothouse releases SERVICE add ID -- ARGV...`: makes it known, runs nothing. */
export async function addRelease(
  { argv, env, cwd, ...release }: NewRelease,
  { engine, out, isJson }: Session,
): Promise<number> {
  const artifact = { kind: 'command' as const, argv, env, ...(cwd === undefined ? {} : { cwd }) }
  const known = await engine.releases.create({ ...release, artifact })
  out.write(
    isJson
      ? jsonText(known)
      : `${known.service}: ${known.id} is known; deploy it: pilothouse deploy ${known.service} ${known.id}\n`,
  )
  return exitCodes.ok
}

/** `pilothouse releases SERVICE compare FROM TO`. */
export async function compareReleases(
  request: { service: string; from: string; to: string },
  { engine, out, isJson }: Session,
): Promise<number> {
  const comparison = await engine.releases.compare(request)
  out.write(isJson ? jsonText(comparison) : comparisonText(comparison))
  return exitCodes.ok
}

/** Services under each other, what is wrong with one below it. */
export function servicesText(services: readonly ServiceState[], out: Output): string {
  if (services.length === 0) return 'No services. Describe one under services: in pilothouse.yaml.\n'
  const rows = services.map((service) => [
    service.name,
    service.environment,
    trafficText(service),
    instancesText(service.instances),
    ...sliCells(service, null),
    service.address,
  ])
  const heading = ['SERVICE', 'ENVIRONMENT', 'TRAFFIC', 'INSTANCES', 'REQUESTS/S', 'ERRORS', 'P95', 'ADDRESS']
  const troubles = services.flatMap((service) =>
    troubleLines(service).map((line) => `${service.name}: ${line}\n`),
  )
  const [head = '', ...body] = columns([heading, ...rows]).split(/(?<=\n)/)
  return out.style('dim', head.trimEnd()) + '\n' + body.join('') + troubles.join('')
}

/** One service with its releases and instances. */
export function serviceText(service: ServiceState, out: Output): string {
  const { name, environment, address, weights, instances } = service
  const releases = Object.entries(weights).map(([id, weight]) => [
    `  ${id}`,
    id === service.stableReleaseId ? 'stable' : id === service.candidateReleaseId ? 'candidate' : '',
    `${weight} %`,
    ...sliCells(service, id),
  ])
  const copies = instances.map(({ id, releaseId, state, reason, port, restartCount, inFlight }) => [
    `  ${id}`,
    releaseId,
    state,
    `port ${port}`,
    `${inFlight} in flight`,
    `${restartCount} restarts`,
    harmless(reason),
  ])
  return [
    `${out.style('bold', name)}  ${environment}  ${address}\n`,
    ...troubleLines(service).map((line) => `${out.style('red', line)}\n`),
    service.deploymentId ? `deployment ${service.deploymentId}\n` : '',
    `\nRELEASES\n${columns([['  ', '', 'TRAFFIC', 'REQUESTS/S', 'ERRORS', 'P95'], ...releases])}`,
    `\nINSTANCES\n${columns(copies)}`,
  ].join('')
}

const troubleLines = (service: ServiceState): string[] =>
  serviceConcerns(service, service.updatedAtMs).map(({ kind, text, detail }) => {
    const { automationStopped: stopped } = service
    const who =
      kind === 'automation-stopped' && stopped ? ` by ${stopped.by} at ${momentText(stopped.atMs)}` : ''
    return harmless(`${text}${who}${detail === '' ? '' : `: ${detail}`}`)
  })

const trafficText = ({ weights }: ServiceState): string =>
  Object.entries(weights)
    .filter(([, weight]) => weight > 0)
    .map(([id, weight]) => `${id} ${weight} %`)
    .join(', ') || 'none'

const instancesText = (instances: readonly Instance[]): string =>
  `${instances.filter(({ state }) => state === 'healthy').length} of ${instances.length} healthy`

/** Of one release, or of the whole service, which has them under the empty name. */
function sliCells({ sli }: ServiceState, releaseId: string | null): string[] {
  const figures = sli[releaseId ?? '']
  return figures
    ? [figures.requestsPerSecond.toFixed(1), ratioText(figures.errorRatio), millisecondsText(figures.p95Ms)]
    : ['-', '-', '-']
}

const releasesText = (releases: readonly Release[]): string =>
  releases.length === 0
    ? 'No releases. Make one known: pilothouse releases SERVICE add ID -- COMMAND...\n'
    : columns([
        ['ID', 'CREATED', 'BY', 'NOTE'],
        ...releases.map(({ id, createdAtMs, createdBy, note }) => [
          id,
          momentText(createdAtMs),
          harmless(createdBy),
          harmless(note),
        ]),
      ])

function comparisonText({ from, to, differences, metrics }: Comparison): string {
  const cell = (metric: string, value: number | null) =>
    value === null
      ? '-'
      : metric === 'errorRatio'
        ? ratioText(value)
        : metric === 'requestsPerSecond'
          ? value.toFixed(1)
          : millisecondsText(value)
  return columns([
    ['', from.id, to.id],
    ...differences.map((each) => [each.path, harmless(each.from ?? '-'), harmless(each.to ?? '-')]),
    ...metrics.map((each) => [each.metric, cell(each.metric, each.from), cell(each.metric, each.to)]),
  ])
}
