import { AppError } from '../../../base/index.ts'
import { systemClock, systemRng } from '../../../adapters/system/index.ts'
import {
  endsWarmText,
  presets,
  shownPhaseName,
  terminalText,
  type Deployment,
  type PlanOptions,
  type ServiceState,
} from '../../../contract/index.ts'
import { table } from '../layout/index.ts'
import { jsonText } from '../json-text.ts'
import { exitCodes, report, tell } from '../output.ts'
import { confirmOrder } from './confirm.ts'
import { LeftAlone } from '../failure.ts'
import { changeText, deploymentText, planText, validationText, warmText } from './deployment-text.ts'
import { findEngine } from './engine.ts'
import { outcomeText, progressLines, watchOutcome } from './progress.ts'
import { interruptible } from '../interruptible.ts'
import { serviceNamed } from './service-named.ts'
import type { Session } from './session.ts'
import { watchDeployment } from './watch.ts'

export interface DeployRequest {
  /** Asked for when it is left out, as is the release. */
  service: string | undefined
  releaseId: string | undefined
  options: PlanOptions
  why: string
  isWatched: boolean
  isDryRun: boolean
  isInteractive: boolean
  /** Takes the place of the deployment in progress, whichever that is when the command begins. */
  isSuperseding: boolean
  isConfirmed: boolean
}

/** `pilothouse deploy`: starts a deployment, or says what it would do; watches it when told so. */
export async function deploy(request: DeployRequest, session: Session): Promise<number> {
  const { out, engine, isJson } = session
  const { service, releaseId, options, why } = request.isInteractive
    ? await askForDeployment(request, session)
    : request
  if (service === undefined)
    throw new AppError('BAD_INPUT', 'Name a service and a release to deploy, or add --interactive.')
  if (releaseId === undefined)
    throw new AppError('BAD_INPUT', `Name the release of ${service} to deploy, or add --interactive.`)
  const supersedes = request.isSuperseding ? await underWay(service, session) : null
  const { stableReleaseId: present, revision, wayBack } = serviceNamed(service, await engine.services.list())
  const wish = { service, releaseId, options, why, supersedes, expectedRevision: revision }
  if (request.isDryRun || request.isInteractive) {
    const rehearsal = await engine.deployments.rehearse(wish)
    const { plan, stableReleaseId, validation, requestsPerSecond, runsAs, capabilities, endsWarm } = rehearsal
    if (isJson && request.isDryRun) out.write(jsonText(rehearsal))
    else {
      const change = changeText({ service, stableReleaseId, candidateReleaseId: releaseId })
      // Where a program reads standard output, the person who is asked reads the other one.
      const to = isJson ? session.err : out
      tell(
        to,
        `${to.style('bold', terminalText(change))}\n${planText(plan, validation, to, { requestsPerSecond, capabilities })}${runsAs ? `  Instances, checks and hooks run as ${runsAs}\n` : ''}${endsWarm ? `  ${terminalText(endsWarm)}\n` : ''}${validationText(validation, to)}`,
      )
    }
    if (request.isDryRun) return validation.canDeploy ? exitCodes.ok : exitCodes.failed
    const answer = await session.person.ask('Deploy it? [y/N] ')
    if (!/^y(es)?$/i.test(answer)) throw new LeftAlone('Canceled: nothing was deployed.')
  }
  const effect = `${changeText({ service, stableReleaseId: present, candidateReleaseId: releaseId })}, ${present === null ? 'all traffic at once' : 'through a canary'}${supersedes === null ? '' : `; ${supersedes} is rolled back first`}${endsWarmClause(wayBack)}`
  const order = { order: 'deployments.start', service, effect, isConfirmed: request.isConfirmed }
  const started = await confirmOrder(order, session, () => engine.deployments.start(wish))
  return showStarted(started, request.isWatched, session)
}

/** The same at the end of an effect. */
export const endsWarmClause = (wayBack: ServiceState['wayBack']): string => {
  const text = endsWarmText(wayBack)
  return text === '' ? '' : `. ${text}`
}

/** The deployment of the service that was asked for last, while it has not ended. */
export async function underWay(service: string, { engine }: Session): Promise<string | null> {
  const [newest] = await engine.deployments.list({ service, limit: 1 })
  return newest?.endedAtMs === null ? newest.id : null
}

/** `pilothouse validate`: 0 when the release could be deployed, 1 when a critical check fails. */
export async function validate(service: string, releaseId: string, session: Session): Promise<number> {
  const { validation } = await session.engine.deployments.rehearse({ service, releaseId })
  report(session, validation, () => validationText(validation, session.out))
  return validation.canDeploy ? exitCodes.ok : exitCodes.failed
}

/** Tells of a deployment that was just started, and follows it when wanted. */
export async function showStarted(
  deployment: Deployment,
  isWatched: boolean,
  session: Session,
): Promise<number> {
  if (isWatched) return watch(deployment, session)
  report(
    session,
    deployment,
    () =>
      `${terminalText(changeText(deployment))}, ${shownPhaseName(deployment)}\nTo follow it, run: ${session.next(`deployments show ${deployment.id} --watch`)}\n`,
  )
  return exitCodes.ok
}

/**
 * Follows a deployment, a line for each event (with --json an object for each change), until it is promoted or rolled
 * back, or waits for a person; that is the exit code, and the last line says it.
 */
async function watch(deployment: Deployment, session: Session): Promise<number> {
  const { out, err, isJson, times } = session
  let shown: Deployment | null = null
  const show = (now: Deployment) => {
    if (isJson) out.write(`${JSON.stringify(now)}\n`)
    else for (const line of progressLines(shown, now, times)) tell(out, `${line}\n`)
    shown = now
  }
  if (!isJson) tell(out, `${out.style('bold', terminalText(changeText(deployment)))}  (${deployment.id})\n`)
  const isOver = (now: Deployment) => watchOutcome(now) !== null || out.isClosed()
  if (isOver(deployment)) show(deployment)
  const last = isOver(deployment)
    ? deployment
    : await interruptible(stillRunning(deployment, session), (signal) =>
        watchDeployment(
          {
            id: deployment.id,
            address: async () => {
              const found = await findEngine(session.config)
              if (!found.ok) throw found.error
              return found.value
            },
            clock: systemClock(),
            rng: systemRng(),
            signal,
            onChange: show,
            onLost: (reason) => tell(err, `${reason}; trying again\n`),
          },
          isOver,
        ),
      )
  const code = watchOutcome(last) ?? exitCodes.readerGone
  if (isJson) return code
  for (const line of warmText(last, session)) tell(out, `${line}\n`)
  if (code === exitCodes.undecided)
    tell(
      out,
      `To decide how it continues, run one of:\n${(['resume', 'promote', 'abort'] as const).map((order) => `  ${session.next(`deployments ${order} ${deployment.id}`)}\n`).join('')}`,
    )
  const outcome = outcomeText(last)
  if (outcome !== '') tell(out, `${out.style('bold', terminalText(outcome))}\n`)
  return code
}

/** What a person should know who stops watching. */
const stillRunning = ({ id }: Deployment, { next }: Session): string =>
  `Stopped watching. The deployment continues. To follow it again, run: ${next(`deployments show ${id} --watch`)}`

/** `pilothouse deployments show`. */
export async function showDeployment(id: string, isWatched: boolean, session: Session): Promise<number> {
  const deployment = await session.engine.deployments.get({ id })
  if (isWatched) return watch(deployment, session)
  report(session, deployment, () => deploymentText(deployment, session))
  return exitCodes.ok
}

async function askForDeployment(request: DeployRequest, session: Session): Promise<DeployRequest> {
  const { person, err, engine, times } = session
  if (!person.isThere) throw new AppError('BAD_INPUT', '--interactive needs a terminal.')
  const choose = async (what: string, rows: readonly string[][]) => {
    const columns = [{}, {}, {}, { isProse: true }]
    const numbered = rows.map((row, k) => [`${k + 1}.`, ...row])
    tell(err, table(columns, numbered, { width: err.width }))
    const answer = await person.ask(`${what} (number or name): `)
    return rows[Number(answer) - 1]?.[0] ?? (answer === '' ? undefined : answer)
  }
  let { service, releaseId } = request
  if (service === undefined) {
    const services = await engine.services.list()
    service = await choose(
      'Service',
      services.map(({ name, environment, stableReleaseId }) => [
        name,
        environment,
        `${stableReleaseId === null ? 'no stable release' : `stable ${stableReleaseId}`}`,
      ]),
    )
  }
  if (service !== undefined && releaseId === undefined) {
    const releases = await engine.releases.list({ service, limit: 20 })
    releaseId = await choose(
      'Release',
      releases.map(({ id, createdAtMs, note }) => [id, times.moment(createdAtMs), terminalText(note)]),
    )
  }
  let { options } = request
  if (!options.preset && !options.steps) {
    const answer = await person.ask(`Preset (${presets.join(', ')}; empty for the configured one): `)
    if (answer !== '') options = { ...options, preset: presetNamed(answer) }
  }
  const why = request.why === '' ? await person.ask('Why (kept in the audit log): ') : request.why
  return { ...request, service, releaseId, options, why }
}

function presetNamed(text: string): (typeof presets)[number] {
  const preset = presets.find((each) => each.startsWith(text))
  if (!preset) throw new AppError('BAD_INPUT', `Unknown preset ${text}. Choose one of ${presets.join(', ')}.`)
  return preset
}
