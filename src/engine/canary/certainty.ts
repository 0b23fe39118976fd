/** Alternatives between `p0` and 1 that the mixture below looks for, as shares of that distance. */
const alternatives = [0.1, 0.25, 0.5, 0.75, 0.9, 0.99] as const

/**
 * Evidence against "at most a share `p0` of trials fails", as an e-value: a mixture of likelihood ratios against larger
 * shares. While the claim holds, the chance that it ever reaches 1/α, however often one looks, is at most α (Ville's
 * inequality; Grünwald, de Heide, Koolen, "Safe testing", JRSS B 2024; the one-sided ratio is a supermartingale for every
 * smaller share too). Gives its natural logarithm; 0 where nothing is claimed.
 */
export function logEvidence(failed: number, trials: number, p0: number): number {
  // So close to 1 nothing can exceed it, and binary fractions have no digits left.
  if (trials <= 0 || p0 <= 0 || p0 > 1 - 1e-9) return 0
  const logs = alternatives.map((share) => {
    const p1 = p0 + (1 - p0) * share
    return failed * Math.log(p1 / p0) + (trials - failed) * Math.log((1 - p1) / (1 - p0))
  })
  const most = Math.max(...logs)
  const sum = logs.reduce((total, each) => total + Math.exp(each - most), 0)
  return most + Math.log(sum / alternatives.length)
}

/** The score interval of a share at `z` standard deviations (Wilson, JASA 1927). */
export function wilson(successes: number, trials: number, z: number): { low: number; high: number } {
  if (trials <= 0) return { low: 0, high: 1 }
  const p = successes / trials
  const z2 = (z * z) / trials
  const middle = (p + z2 / 2) / (1 + z2)
  const half = (z / (1 + z2)) * Math.sqrt((p * (1 - p)) / trials + z2 / (4 * trials))
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) }
}

/**
 * The least by which share `one` exceeds share `other` at `z` standard deviations: the lower end of the hybrid score
 * interval (Newcombe, Statistics in Medicine 1998, method 10), which also holds for shares near 0 and 1.
 */
export function leastExcess(
  one: { successes: number; trials: number },
  other: { successes: number; trials: number },
  z: number,
): number {
  const p1 = one.trials > 0 ? one.successes / one.trials : 0
  const p2 = other.trials > 0 ? other.successes / other.trials : 0
  const below = p1 - wilson(one.successes, one.trials, z).low
  const above = wilson(other.successes, other.trials, z).high - p2
  return p1 - p2 - Math.sqrt(below ** 2 + above ** 2)
}
