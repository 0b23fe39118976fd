/** At most `most` UTF-16 code units of a text, with an ellipsis for what is missing, and never half of a character. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text
  const cut = text.slice(0, most - 1)
  const endsInHalf = /[\ud800-\udbff]$/.test(cut)
  return `${endsInHalf ? cut.slice(0, -1) : cut}…`
}

/**
 * A copy of plain data in which each half of a surrogate pair that stands alone is U+FFFD, in keys, too: what UTF-8 can
 * hold, so that it comes back from a file or a database as it was.
 */
export function wellFormedData<T>(value: T): T
export function wellFormedData(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed()
  if (Array.isArray(value)) return value.map((item: unknown) => wellFormedData(item))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([key, held]) => [key.toWellFormed(), wellFormedData(held as unknown)]),
  )
}
