import { phaseNames, terminalText } from '../../../contract/index.ts'
import { exitCodes, report } from '../output.ts'
import { confirmOrder, tellEffect } from './confirm.ts'
import { showStarted, underWay } from './deploy.ts'
import { changeText, deploymentsText, standingText } from './deployment-text.ts'
import { serviceNamed } from './service-named.ts'
import type { Session } from './session.ts'

/** What a person may do to a deployment in progress, and what it means for the candidate. */
export const orders = {
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
  const isTold = await confirmOrder(
    {
      order: `deployments.${order}`,
      service: seen.service,
      effect,
      // The engine refuses an order on one that has ended: nobody needs to confirm it.
      isConfirmed: request.isConfirmed || seen.endedAtMs !== null,
      isToldOnceAccepted: true,
    },
    session,
  )
  const now = await engine.deployments[order]({ id, expectedRevision: seen.revision, why: request.why })
  if (!isTold) tellEffect({ effect }, session.err)
  report(session, now, () => `${phaseNames[now.phase]}${now.reason ? `: ${terminalText(now.reason)}` : ''}\n`)
  return exitCodes.ok
}

export interface BeginRequest extends SteerRequest {
  isWatched: boolean
  /** Takes the place of the deployment under way. */
  isSuperseding: boolean
}

/** `pilothouse deployments retry ID`. */
export async function retry(id: string, request: BeginRequest, session: Session): Promise<number> {
  const seen = await session.engine.deployments.get({ id })
  const present = serviceNamed(seen.service, await session.engine.services.list())
  await confirmOrder(
    {
      order: 'deployments.retry',
      service: seen.service,
      effect: `${seen.service}: ${seen.candidateReleaseId} becomes the candidate again`,
      isConfirmed: request.isConfirmed,
    },
    session,
  )
  return showStarted(
    await session.engine.deployments.retry({
      id,
      expectedRevision: present.revision,
      supersedes: request.isSuperseding ? await underWay(seen.service, session) : null,
      why: request.why,
    }),
    request.isWatched,
    session,
  )
}

/** `pilothouse deployments undo SERVICE [RELEASE]`. */
export async function undo(
  service: string,
  releaseId: string | undefined,
  request: BeginRequest,
  session: Session,
): Promise<number> {
  const present = serviceNamed(service, await session.engine.services.list())
  await confirmOrder(
    {
      order: 'deployments.undo',
      service,
      effect: `${service}: ${present.stableReleaseId ?? 'no release'} → ${releaseId ?? present.wayBack?.to ?? 'the stable release before it'}, without steps`,
      isConfirmed: request.isConfirmed,
    },
    session,
  )
  const wish = {
    service,
    expectedRevision: present.revision,
    supersedes: request.isSuperseding ? await underWay(service, session) : null,
    why: request.why,
    ...(releaseId === undefined ? {} : { releaseId }),
  }
  return showStarted(await session.engine.deployments.undo(wish), request.isWatched, session)
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
