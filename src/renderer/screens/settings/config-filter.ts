import type { ConfigEntries } from '../../../contract/index.ts'

export type ConfigEntry = ConfigEntries['entries'][number]

/** Entries that carry every word of the filter in their path, value or origin, in any case. */
export function filterEntries(entries: readonly ConfigEntry[], filter: string): ConfigEntry[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  return entries.filter(({ path, value, origin }) => {
    const text = `${path} ${value} ${origin}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
}
