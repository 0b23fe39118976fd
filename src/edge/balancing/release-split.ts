import type { Rng } from '../../base/index.ts'
import type { Weights } from '../../contract/index.ts'

/** Requests over which shares are exact, to the remainder that is carried on. */
const blockSize = 100

/**
 * Splits requests between releases by weight. Requests are dealt in shuffled blocks of 100 (permuted-block
 * randomisation, as clinical trials do it): shares are exact to one request a release, and yet nobody's rhythm of
 * requests can fall in with the order, which a fixed rotation would allow. The judge relies on both.
 */
export class ReleaseSplit {
  readonly #rng: Rng
  #shares: { id: string; weight: number; carried: number }[] = []
  #total = 0
  #block: string[] = []
  #next = 0

  constructor(rng: Rng) {
    this.#rng = rng
  }

  /** Takes effect for the next pick: what was dealt under the old weights is dropped. */
  set(weights: Weights): void {
    this.#shares = Object.entries(weights)
      .filter(([, weight]) => weight > 0)
      .map(([id, weight]) => ({ id, weight, carried: 0 }))
    this.#total = this.#shares.reduce((sum, { weight }) => sum + weight, 0)
    this.#block = []
    this.#next = 0
  }

  /** The release of the next request; undefined when no release has a share. */
  pick(): string | undefined {
    if (this.#shares.length < 2) return this.#shares[0]?.id
    if (this.#next === this.#block.length) this.#deal()
    return this.#block[this.#next++]
  }

  #deal(): void {
    const block: string[] = []
    for (const share of this.#shares) {
      share.carried += (blockSize * share.weight) / this.#total
      // Floating point leaves a share of 10 % at 9.999999 now and then.
      // One that got a request in advance owes it.
      const count = Math.max(0, Math.floor(share.carried + 1e-9))
      share.carried -= count
      for (let i = 0; i < count; i++) block.push(share.id)
    }
    // What the fractions leave over goes to whoever is owed most.
    while (block.length < blockSize) {
      const owed = this.#shares.reduce((most, share) => (share.carried > most.carried ? share : most))
      owed.carried -= 1
      block.push(owed.id)
    }
    for (let i = block.length - 1; i > 0; i--) {
      const j = Math.floor(this.#rng.next() * (i + 1))
      const moved = block[i] as string
      block[i] = block[j] as string
      block[j] = moved
    }
    this.#block = block
    this.#next = 0
  }
}

/**
 * The release of a client that stays: `point` in [0, 1) is the client's own and never changes. Releases are laid
 * side by side by their weight, the fallback last: a candidate that grows takes clients over and gives none back.
 */
export function releaseAt(
  point: number,
  weights: Weights,
  fallbackReleaseId: string | null,
): string | undefined {
  const shares = laidOut(weights, fallbackReleaseId)
  const total = shares.reduce((sum, [, weight]) => sum + weight, 0)
  let left = point * total
  for (const [id, weight] of shares) {
    left -= weight
    if (left < 0) return id
  }
  return shares.at(-1)?.[0]
}

/** The point that a cookie carries; null when it carries none, whatever JavaScript would make a number of. */
export const pointOf = (text: string | undefined): number | null =>
  text !== undefined && /^0(?:\.\d{1,20})?$/.test(text) ? Number(text) : null

/** A point keeps this part of its release's share away from the neighbour's, so that rounding cannot move it there. */
const edge = 0.001

/** A point of `releaseId` for a client that has none yet; `uniform` in [0, 1). */
export function pointIn(
  releaseId: string,
  uniform: number,
  weights: Weights,
  fallbackReleaseId: string | null,
): number {
  const shares = laidOut(weights, fallbackReleaseId)
  const total = shares.reduce((sum, [, weight]) => sum + weight, 0)
  let before = 0
  for (const [id, weight] of shares) {
    if (id === releaseId) return (before + (edge + (1 - 2 * edge) * uniform) * weight) / total
    before += weight
  }
  return uniform
}

const laidOut = (weights: Weights, fallbackReleaseId: string | null): [string, number][] =>
  Object.entries(weights)
    .filter(([, weight]) => weight > 0)
    .sort(([a], [b]) => Number(a === fallbackReleaseId) - Number(b === fallbackReleaseId) || (a < b ? -1 : 1))
