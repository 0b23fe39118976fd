/** What stands where nothing was measured. */
export const noFigure = '–'

const spans = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const

/** A span in its two largest parts: `3 d 4 h`, `2 min 5 s`, `12 s`; under 10 s with one decimal. */
export function duration(spanMs: number): string {
  if (!Number.isFinite(spanMs)) return noFigure
  const ms = Math.max(0, spanMs)
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)}\u00a0s`
  let rest = Math.round(ms / 1000) * 1000
  const first = spans.findIndex(([, size]) => rest >= size)
  const shown: string[] = []
  for (const [name, size] of spans.slice(first, first + 2)) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0) shown.push(`${count}\u00a0${name}`)
  }
  return shown.join(' ')
}

/** What something took: like `duration`, and milliseconds where those are worth telling, `84 ms`. */
export function took(spanMs: number): string {
  return spanMs >= 0 && spanMs < 999.5 ? `${Math.round(spanMs)}\u00a0ms` : duration(spanMs)
}

/**
 * How long ago in its largest part, because 2 h 3 min ago is 2 h ago to a tired reader; `just now` within a second
 * and a half, and for a time ahead.
 */
export function ago(atMs: number, nowMs: number): string {
  const spanMs = nowMs - atMs
  if (!(spanMs >= 1500)) return 'just now'
  const [name, size] = spans.find(([, size]) => spanMs >= size) ?? (['s', 1000] as const)
  return `${Math.floor(spanMs / size)}\u00a0${name} ago`
}

const clockFormat = (timeZone?: string) =>
  new Intl.DateTimeFormat('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    ...zone(timeZone),
  })
const dayFormat = (timeZone?: string) =>
  new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', ...zone(timeZone) })
const zone = (timeZone?: string) => (timeZone ? { timeZone } : {})

const localClock = clockFormat()
const localDay = dayFormat()

/** Time of day, `12:31:07`, in the person's zone. */
export function clockTime(atMs: number, timeZone?: string): string {
  return (timeZone ? clockFormat(timeZone) : localClock).format(atMs)
}

/** `12:31:07` for a time of the same day as `nowMs`, else `20 Nov 2025, 12:31:07`. */
export function dateTime(atMs: number, nowMs: number, timeZone?: string): string {
  if (!Number.isFinite(atMs)) return noFigure
  const day = timeZone ? dayFormat(timeZone) : localDay
  const time = clockTime(atMs, timeZone)
  return day.format(atMs) === day.format(nowMs) ? time : `${day.format(atMs)}, ${time}`
}
