import type { Balancer, Candidate } from './candidate.ts'

/** FNV-1a, 32 bit, with a final mix (murmur3) because short keys that differ at the end stay close without. */
function hash32(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** No instance holds more than this times the mean of requests in flight, one at least. */
const loadBound = 1.25

/**
 * The same client goes to the same instance: rendezvous hashing (Thaler & Ravishankar, 1998), so that an instance
 * that goes moves only its own clients. An instance above the load bound is passed over for the client's next
 * choice (Mirrokni, Thorup, Zadimoghaddam, "Consistent hashing with bounded loads", 2018).
 */
export function ipHash(): Balancer {
  return {
    pick<C extends Candidate>(candidates: readonly C[], key: string) {
      let total = 0
      for (const { inFlight } of candidates) total += inFlight
      const most = Math.ceil((loadBound * (total + 1)) / candidates.length)
      let best: C | undefined
      let bestScore = -Infinity
      for (const candidate of candidates) {
        if (candidate.inFlight + 1 > most) continue
        // Weighted rendezvous: -w / ln(u) of a uniform u (Schindelhauer & Schomaker, 2005).
        const uniform = (hash32(`${key}\0${candidate.id}`) + 0.5) / 2 ** 32
        const score = -candidate.weight / Math.log(uniform)
        if (score > bestScore) {
          bestScore = score
          best = candidate
        }
      }
      return best ?? candidates[0]
    },
  }
}
