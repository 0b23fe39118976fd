import { exitCodes } from '../output.ts'
import type { RollbackOutcome } from '../../../contract/index.ts'
import { confirm } from './confirm.ts'
import { serviceNamed } from './service-named.ts'
import { jsonText, type Session, type SessionRequest } from './session.ts'
import { columns, harmless } from './words.ts'

export interface RollbackRequest {
  /** Undefined is every service with a candidate. */
  service: string | undefined
  why: string
  isConfirmed: boolean
}

/** An engine that has not answered by then hangs: the order goes to the router itself. */
const answerWithinMs = 5000

/** `pilothouse rollback SERVICE|--all`: 0 when every router confirmed it, 1 when one did not. */
export async function rollback(
  { service, why, isConfirmed }: RollbackRequest,
  session: Session,
): Promise<number> {
  const { engine, person } = session
  // Who asks nobody asks nothing first: the order is the shortest way.
  if (person.isThere && !isConfirmed) await confirmRollback(service, session)
  const outcomes = await engine.rollback.emergency(
    { why, ...(service === undefined ? {} : { services: [service] }) },
    { signal: AbortSignal.timeout(answerWithinMs) },
  )
  return showOutcomes(outcomes, session)
}

/** Prints what each router confirmed; the exit code of it. */
export function showOutcomes(
  outcomes: readonly RollbackOutcome[],
  { out, isJson }: Pick<SessionRequest, 'out' | 'isJson'>,
): number {
  if (isJson) out.write(jsonText(outcomes))
  else if (outcomes.length === 0) out.write('No service has a candidate: nothing to roll back.\n')
  else
    out.write(
      columns(
        outcomes.map((each) => [
          each.ok ? out.style('green', 'ok') : out.style('red', 'FAILED'),
          each.service,
          `${Math.round(each.tookMs)} ms`,
          harmless(each.text),
        ]),
      ),
    )
  return outcomes.every(({ ok }) => ok) ? exitCodes.ok : exitCodes.failed
}

async function confirmRollback(service: string | undefined, session: Session): Promise<void> {
  // A list that fails must not keep anybody from an emergency rollback.
  const services = await session.engine.services.list().catch(() => [])
  const meant = services.filter(({ name, candidateReleaseId }) =>
    service === undefined ? candidateReleaseId !== null : name === service,
  )
  if (service !== undefined && services.length > 0) serviceNamed(service, services)
  const effect = meant
    .map(
      (each) =>
        `${each.name}: ${each.candidateReleaseId ?? 'no candidate'} -> ${each.stableReleaseId ?? 'nothing'}`,
    )
    .join('; ')
  await confirm(
    {
      name: service ?? 'all',
      effect: `${effect || (service ?? 'every service')}, all traffic at once; automation stops until it is resumed`,
      isProduction: meant.some(({ environment }) => environment === 'production'),
      isConfirmed: false,
    },
    session,
  )
}
