import type { Balancer } from './candidate.ts'

/**
 * Smooth weighted round robin (as nginx does it): each turn every candidate gains its weight, the richest is taken
 * and pays the sum. Shares are exact over a period, and turns of one candidate are spread evenly.
 */
export function smoothWeighted(): Balancer {
  const credit = new Map<string, number>()
  return {
    pick(candidates) {
      let total = 0
      let chosen = candidates[0]
      let most = -Infinity
      for (const candidate of candidates) {
        const now = (credit.get(candidate.id) ?? 0) + candidate.weight
        credit.set(candidate.id, now)
        total += candidate.weight
        if (now > most) {
          most = now
          chosen = candidate
        }
      }
      if (chosen) credit.set(chosen.id, most - total)
      if (credit.size > 2 * candidates.length + 8) forget(credit, candidates)
      return chosen
    },
  }
}

/** Drops what is kept of candidates that have gone. */
function forget(credit: Map<string, number>, candidates: readonly { id: string }[]): void {
  const present = new Set(candidates.map(({ id }) => id))
  for (const id of credit.keys()) if (!present.has(id)) credit.delete(id)
}
