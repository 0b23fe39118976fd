import { isConfirmedBy, terminalText } from '../../../contract/index.ts'
import { tell } from '../output.ts'
import { LeftAlone } from '../failure.ts'
import type { Session } from './session.ts'

export interface DangerousAct {
  /** The procedure that carries it out: `deployments.promote`. */
  order: string
  /** What a person types to confirm: the service's name, or `all`. */
  name: string
  /** Target and effect, a sentence: "checkout: r42 → r41, all traffic at once". */
  effect: string
  isProduction: boolean
  isConfirmed: boolean
  /** Target and effect are named only to someone who is asked; the caller names them when the order was accepted. */
  isToldOnceAccepted?: boolean
}

/** A wrong word is put on record within that; an engine that hangs must not keep the person here. */
const recordWithinMs = 1000

/**
 * Names target and effect of what is about to be done. In production a person at a terminal types the name first;
 * another answer throws LeftAlone, and is put on record. Scripts have nobody to ask. Gives whether the effect was named.
 */
export async function confirm(
  act: DangerousAct,
  { err, person, engine }: Pick<Session, 'err' | 'person' | 'engine'>,
): Promise<boolean> {
  const isAsked = act.isProduction && !act.isConfirmed && person.isThere
  if (!isAsked && act.isToldOnceAccepted) return false
  tellEffect(act, err)
  if (!isAsked) return true
  const answer = await person.ask(`This is production. Type ${act.name} to confirm: `)
  if (isConfirmedBy(act.name, answer)) return true
  // Without an engine there is no audit log to put it on.
  const { order, name: target } = act
  const signal = AbortSignal.timeout(recordWithinMs)
  await engine.audit.unconfirmed({ order, target }, { signal }).catch(() => undefined)
  throw new LeftAlone(`Canceled: type ${act.name} to confirm, not "${answer}".`)
}

const tellEffect = ({ effect }: Pick<DangerousAct, 'effect'>, err: Session['err']): void =>
  tell(err, `${effect.split('\n').map(terminalText).join('\n')}\n`)

/**
 * Confirms an order on one service and gives it: every order that changes what runs or who steers it comes through here.
 * Whoever is not asked reads its effect once the engine has accepted it: a refused order has none.
 */
export async function confirmOrder<T>(
  { service, ...act }: Pick<DangerousAct, 'order' | 'effect' | 'isConfirmed'> & { service: string },
  session: Session,
  give: () => Promise<T>,
): Promise<T> {
  const isAsked = !act.isConfirmed && session.person.isThere
  const isProduction = isAsked && (await isInProduction(service, session))
  const isTold = await confirm({ ...act, name: service, isProduction, isToldOnceAccepted: true }, session)
  const accepted = await give()
  if (!isTold) tellEffect(act, session.err)
  return accepted
}

/** Whether the service stands in production: one that is not known yet will stand where the engine does. */
async function isInProduction(service: string, { engine }: Session): Promise<boolean> {
  const known = (await engine.services.list()).find(({ name }) => name === service)
  return (known ?? (await engine.config.show())).environment === 'production'
}
