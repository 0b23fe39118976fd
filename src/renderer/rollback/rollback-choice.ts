import { isEmergencyWay, wayBackText, type ServiceWayBack } from '../../contract/index.ts'

/** What the panel is about to do: one service, or every one that can go back at once. */
export interface RollbackChoice {
  ways: readonly ServiceWayBack[]
  isAll: boolean
}

/**
 * What `chosenName` picks among what the engine offers. Nobody chose yet: everything that can go back at once, or the only
 * undo there is. Never an undo of a service that nobody named.
 */
export function rollbackChoice(ways: readonly ServiceWayBack[], chosenName: string): RollbackChoice {
  const named = ways.find(({ service }) => service === chosenName)
  if (named) return { ways: [named], isAll: false }
  const atOnce = ways.filter(isEmergencyWay)
  if (atOnce.length > 0) return { ways: atOnce, isAll: atOnce.length > 1 }
  return { ways: ways.length === 1 ? ways : [], isAll: false }
}

const allWord = 'ALL'

/** The word that must be typed before these may be rolled back; null when a hold is enough. */
export function wordToType({ ways, isAll }: RollbackChoice): string | null {
  if (!ways.some(({ environment }) => environment === 'production')) return null
  return isAll ? allWord : (ways[0]?.service ?? null)
}

/** What the button says. */
export function orderLabel({ ways, isAll }: RollbackChoice): string {
  const [first] = ways
  if (!first) return 'Choose a service'
  if (isAll) return `Roll back ${ways.length} services`
  return `${isEmergencyWay(first) ? 'Roll back' : 'Undo'} ${first.service}: ${wayBackText(first)}`
}
