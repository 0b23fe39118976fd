/** What is said of one series. Texts carry their units. */
export interface SummaryPart {
  label: string
  newest: string
  least: string
  greatest: string
  greatestAt: string
  gapCount: number
}

/**
 * What a chart shows, in sentences, for those who do not see it:
 * "CPU, last 15 minutes. Busy is 12 %, between 3 % and 94 % (at 12:31:05)."
 */
export function summarise(
  title: string,
  range: string,
  parts: readonly (SummaryPart | { label: string })[],
): string {
  const sentences = parts.map((part) => {
    if (!('newest' in part)) return `${part.label}: nothing was measured.`
    const gaps =
      part.gapCount === 0 ? '' : part.gapCount === 1 ? ', with 1 gap' : `, with ${part.gapCount} gaps`
    return `${part.label} is ${part.newest}, between ${part.least} and ${part.greatest} (at ${part.greatestAt})${gaps}.`
  })
  return [`${title}, ${range}.`, ...sentences].join(' ')
}

/** Number of stretches without a measurement that have measurements on both sides. */
export function gapCount(values: Float64Array): number {
  let count = 0
  let hasSeen = false
  let isInGap = false
  for (const value of values) {
    if (Number.isNaN(value)) {
      isInGap = hasSeen
    } else {
      if (isInGap) count += 1
      isInGap = false
      hasSeen = true
    }
  }
  return count
}
