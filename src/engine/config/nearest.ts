/**
 * How many edits lead from `a` to `b`: insert, delete, replace, or swap of neighbours (optimal string alignment).
 */
export function editDistance(a: string, b: string): number {
  let older: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1]
      let cost = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (isSame ? 0 : 1),
      )
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (isSwap) cost = Math.min(cost, (older[column - 2] ?? 0) + 1)
      current.push(cost)
    }
    older = previous
    previous = current
  }
  return previous[b.length] ?? 0
}

const longestCompared = 100
const plain = (word: string) => word.toLowerCase().replace(/[-_]/g, '')

/**
 * The candidate a person most likely meant by `word`: one that begins so, or is within a third of its length in
 * edits; case and dashes do not count. Undefined when none is near.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > longestCompared) return undefined
  const begun =
    plain(word).length > 2 && candidates.find((candidate) => plain(candidate).startsWith(plain(word)))
  if (begun) return begun
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(plain(word).length / 3)) + 1
  for (const candidate of candidates) {
    const distance = editDistance(plain(word), plain(candidate))
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}
