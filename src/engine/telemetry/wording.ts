import type { SeriesKey } from './ports.ts'

/** One unit, rounded as a person would say it: "40 s", "12 min", "9 h", "4 days". */
export function durationText(durationMs: number): string {
  const seconds = durationMs / 1000
  if (seconds < 9.95) return `${trimmed(seconds.toFixed(1))} s`
  if (seconds < 89.5) return `${Math.round(seconds)} s`
  if (seconds < 89.5 * 60) return `${Math.round(seconds / 60)} min`
  if (seconds < 47.5 * 3600) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} days`
}

/** A series on one line: `disk.busy{device=sda}`; labels in alphabetical order. */
export function seriesText({ name, labels }: SeriesKey): string {
  const pairs = Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`
}

const trimmed = (text: string): string => text.replace(/\.0$/, '')
