import type { SeriesKey } from '../../../engine/telemetry/index.ts'

/** Series a block holds: reading one costs reading its whole block, so few; each block has a head, so not too few. */
export const seriesPerGroup = 24

/**
 * Puts new series of a host into groups, near to those that charts show with them: by family (the name up to its
 * first dot), in a family by labels, in the order declared. `sizes` are the sizes of the host's groups so far; the
 * last of them is filled up first, since groups never change once they have data. Gives a group for each key.
 */
export function assignGroups(sizes: readonly number[], keys: readonly SeriesKey[]): number[] {
  const places = new Map<string, number>()
  const placeOf = (text: string) => {
    const known = places.get(text)
    if (known !== undefined) return known
    places.set(text, places.size)
    return places.size - 1
  }
  const ordered = keys
    .map((key, index) => {
      const family = key.name.split('.', 1)[0] ?? ''
      return { index, family: placeOf(family), labels: placeOf(`${family} ${labelText(key.labels)}`) }
    })
    .sort((a, b) => a.family - b.family || a.labels - b.labels || a.index - b.index)
  const groups = new Array<number>(keys.length).fill(0)
  let group = Math.max(0, sizes.length - 1)
  let size = sizes[group] ?? 0
  for (const { index } of ordered) {
    if (size >= seriesPerGroup) {
      group++
      size = 0
    }
    groups[index] = group
    size++
  }
  return groups
}

/** The same text for the same labels, whatever the order they were declared in. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
}
