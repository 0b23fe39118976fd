import { shownPhaseName, terminalText } from '../../../contract/index.ts'
import { exitCodes, report } from '../output.ts'
import { confirmOrder } from './confirm.ts'
import { endsWarmClause, showStarted, underWay } from './deploy.ts'
import { changeText, deploymentsText, standingText } from './deployment-text.ts'
import { serviceNamed } from './service-named.ts'
import type { Session } from './session.ts'

/** What a person may do to a deployment in progress, and what it means for the candidate. */
const orders = {
  pause: 'holds at this step',
  resume: 'continues',
  skip: 'moves to the next step now',
  promote: 'gets all traffic, regardless of the judgment',
  abort: 'is rolled back',
} as const
export type Order = keyof typeof orders

export interface SteerRequest {
  why: string
  isConfirmed: boolean
}

/** `pilothouse deployments pause|resume|skip|promote|abort ID`: holds only for the state it showed. */
export async function steer(
  order: Order,
  id: string,
  request: SteerRequest,
  session: Session,
): Promise<number> {
  const { engine } = session
  const seen = await engine.deployments.get({ id })
  const effect = `${changeText(seen)} (${standingText(seen)}): ${seen.candidateReleaseId} ${orders[order]}`
  const now = await confirmOrder(
    {
      order: `deployments.${order}`,
      service: seen.service,
      effect,
      // The engine refuses an order on one that has ended: nobody needs to confirm it.
      isConfirmed: request.isConfirmed || seen.endedAtMs !== null,
    },
    session,
    () => engine.deployments[order]({ id, expectedRevision: seen.revision, why: request.why }),
  )
  report(session, now, () => `${shownPhaseName(now)}${now.reason ? `: ${terminalText(now.reason)}` : ''}\n`)
  return exitCodes.ok
}

export interface BeginRequest extends SteerRequest {
  isWatched: boolean
  /** Takes the place of the deployment in progress. */
  isSuperseding: boolean
}

/** `pilothouse deployments retry ID`. */
export async function retry(id: string, request: BeginRequest, session: Session): Promise<number> {
  const seen = await session.engine.deployments.get({ id })
  const { service } = seen
  const present = serviceNamed(service, await session.engine.services.list())
  const effect = `${service}: ${seen.candidateReleaseId} becomes the candidate again${endsWarmClause(present.wayBack)}`
  const order = { order: 'deployments.retry', service, effect, isConfirmed: request.isConfirmed }
  const started = await confirmOrder(order, session, async () =>
    session.engine.deployments.retry({
      id,
      expectedRevision: present.revision,
      supersedes: request.isSuperseding ? await underWay(service, session) : null,
      why: request.why,
    }),
  )
  return showStarted(started, request.isWatched, session)
}

/**
 * `pilothouse deployments undo SERVICE [RELEASE]`. While automation is stopped after an emergency, a person who orders it
 * resumes automation with it; a script does not do so unasked.
 */
export async function undo(
  service: string,
  releaseId: string | undefined,
  request: BeginRequest,
  session: Session,
): Promise<number> {
  const present = serviceNamed(service, await session.engine.services.list())
  const { automationStopped: stopped } = present
  const { isConfirmed } = request
  const to = releaseId ?? present.wayBack?.to ?? 'the stable release before it'
  const resumes = stopped ? `. Automation, stopped by ${stopped.by.name} (${stopped.reason}), resumes` : ''
  const effect = `${service}: ${present.stableReleaseId ?? 'no release'} → ${to}, without steps${resumes}${releaseId === undefined || releaseId === present.wayBack?.to ? '' : endsWarmClause(present.wayBack)}`
  const order = { order: 'deployments.undo', service, effect, isConfirmed }
  const started = await confirmOrder(order, session, async () =>
    session.engine.deployments.undo({
      service,
      expectedRevision: present.revision,
      supersedes: request.isSuperseding ? await underWay(service, session) : null,
      why: request.why,
      ...(stopped && (session.person.isThere || isConfirmed) ? { resumesAutomation: true } : {}),
      ...(releaseId === undefined ? {} : { releaseId }),
    }),
  )
  return showStarted(started, request.isWatched, session)
}

export interface DeploymentFilter {
  service?: string
  text?: string
  limit: number
}

/** `pilothouse deployments list`, newest first. */
export async function listDeployments(filter: DeploymentFilter, session: Session): Promise<number> {
  const { engine, out, times } = session
  const deployments = await engine.deployments.list(filter)
  const { service } = filter
  // One that was removed has a history; a mistyped name has none.
  if (deployments.length === 0 && service !== undefined) serviceNamed(service, await engine.services.list())
  report(session, deployments, () => deploymentsText(deployments, out, times))
  return exitCodes.ok
}
