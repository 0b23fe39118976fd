import type { SeriesKey } from './ports.ts'

/** A series on one line: `disk.busy{device=sda}`; labels in alphabetical order. */
export function seriesText({ name, labels }: SeriesKey): string {
  const pairs = Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`
}
