import { LeftAlone } from './left-alone.ts'
import type { Session } from './session.ts'
import { harmless } from './words.ts'

export interface DangerousAct {
  /** What a person types to confirm: the service's name, or `all`. */
  name: string
  /** Target and effect, a sentence: "checkout: r42 -> r41, all traffic at once". */
  effect: string
  isProduction: boolean
  isConfirmed: boolean
}

/**
 * Names target and effect of what is about to be done. In production a person at a terminal types the name first;
 * another answer throws LeftAlone. Scripts have nobody to ask.
 */
export async function confirm(act: DangerousAct, { err, person }: Session): Promise<void> {
  err.write(`${harmless(act.effect)}\n`)
  if (!act.isProduction || act.isConfirmed || !person.isThere) return
  const answer = await person.ask(`This is production. Type ${act.name} to go on: `)
  if (answer !== act.name) throw new LeftAlone(`Nothing was done: "${answer}" is not ${act.name}.`)
}

/** Whether the service stands in production; so does one that is not known. */
export async function isInProduction(service: string, { engine }: Session): Promise<boolean> {
  const services = await engine.services.list()
  return (services.find(({ name }) => name === service)?.environment ?? 'production') === 'production'
}
