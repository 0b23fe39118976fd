import type { ConfigEntries } from '../../../contract/index.ts'

/** Entries that carry every word of the filter in their path, value or origin, in any case. */
export function filterEntries(
  entries: readonly ConfigEntries['entries'][number][],
  filter: string,
): ConfigEntries['entries'][number][] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  return entries.filter(({ path, value, origin }) => {
    const text = `${path} ${value} ${origin}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
}
