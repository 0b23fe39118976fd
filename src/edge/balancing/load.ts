import type { Rng } from '../../base/index.ts'
import type { Balancer, Candidate } from './candidate.ts'

/** How busy an instance is for its weight. */
const load = ({ inFlight, weight }: Candidate): number => (inFlight + 1) / weight

/** The least busy; among equals each in turn, so that an idle service uses all its instances. */
export function leastConnections(): Balancer {
  let turn = 0
  return {
    pick(candidates) {
      turn += 1
      let chosen = candidates[turn % candidates.length]
      for (let i = 1; i < candidates.length; i++) {
        const candidate = candidates[(turn + i) % candidates.length]
        if (chosen && candidate && load(candidate) < load(chosen)) chosen = candidate
      }
      return chosen
    },
  }
}

/**
 * The less busy of two drawn at random (Mitzenmacher, "The power of two choices", 2001): nearly as even as the
 * least busy of all, without looking at all, and without all going to the one that looks idle.
 */
export function powerOfTwo(rng: Rng): Balancer {
  return {
    pick(candidates) {
      const { length } = candidates
      if (length < 2) return candidates[0]
      const i = Math.floor(rng.next() * length)
      // The second is drawn among the others.
      const j = (i + 1 + Math.floor(rng.next() * (length - 1))) % length
      const a = candidates[i]
      const b = candidates[j]
      return a && b && load(b) < load(a) ? b : a
    },
  }
}
