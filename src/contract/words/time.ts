/** Stands where nothing was measured. */
export const noFigure = '–'

const spans = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const

/** A span in its two largest parts: `3 d 4 h`, `2 min 5 s`, `12 s`; under 10 s with a decimal, `1.5 s`. */
export function duration(spanMs: number): string {
  if (!Number.isFinite(spanMs)) return noFigure
  const ms = Math.max(0, spanMs)
  if (ms < 9_950) return `${Number((ms / 1000).toFixed(1))} s`
  let rest = Math.round(ms / 1000) * 1000
  const first = spans.findIndex(([, size]) => rest >= size)
  const shown: string[] = []
  for (const [name, size] of spans.slice(first, first + 2)) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0) shown.push(`${count} ${name}`)
  }
  return shown.join(' ')
}

/** A span that is not known exactly, in its largest part: `40 s`, `12 min`, `9 h`, `4 d`. */
export function roughDuration(spanMs: number): string {
  if (!(spanMs >= 9_950)) return duration(spanMs)
  const [name, size] = spans.find(([, size]) => spanMs >= 1.5 * size) ?? (['s', 1000] as const)
  return `${Math.round(spanMs / size)} ${name}`
}

/** A span that is watched as it passes, in minutes and seconds: `8:12`. */
export function stopwatch(spanMs: number): string {
  const seconds = Math.floor(Math.max(0, spanMs) / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

/** What something took: like `duration`, with milliseconds below a second, `84 ms`. */
export function took(spanMs: number): string {
  return spanMs >= 0 && spanMs < 999.5 ? `${Math.round(spanMs)} ms` : duration(spanMs)
}

/** A latency, with a decimal below 10 ms: `1.4 ms`, `130 ms`, `2.1 s`; `–` where nothing was measured. */
export function latencyText(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms)) return noFigure
  return ms < 9.95 ? `${Number(ms.toFixed(1))} ms` : took(ms)
}

/** An age in whole seconds, for a counter that ticks once a second: `0 s`, `7 s`, then like `duration`. */
export function age(spanMs: number): string {
  if (!Number.isFinite(spanMs)) return noFigure
  const seconds = Math.floor(Math.max(0, spanMs) / 1000)
  return seconds < 10 ? `${seconds} s` : duration(seconds * 1000)
}

/**
 * How long ago in its largest part, because 2 h 3 min ago is 2 h ago to a tired reader; `just now` within a second
 * and a half, and for a time ahead.
 */
export function ago(atMs: number, nowMs: number): string {
  const spanMs = nowMs - atMs
  if (!(spanMs >= 1500)) return 'just now'
  const [name, size] = spans.find(([, size]) => spanMs >= size) ?? (['s', 1000] as const)
  return `${Math.floor(spanMs / size)} ${name} ago`
}

/** In which zone times are written: that of the machine that shows them, or UTC. */
export const timeZoneNames = ['local', 'utc'] as const
export type TimeZoneName = (typeof timeZoneNames)[number]

/** As `timeZone` of the functions below takes it. */
export const zoneOf = (name: TimeZoneName): string | undefined => (name === 'utc' ? 'UTC' : undefined)

/** Formats of one zone: making one costs a thousand times what using it does. */
interface ZoneFormats {
  clock: Intl.DateTimeFormat
  day: Intl.DateTimeFormat
  dayOfYear: Intl.DateTimeFormat
  zone: Intl.DateTimeFormat
}

const formats = new Map<string, ZoneFormats>()

function formatsOf(timeZone: string | undefined): ZoneFormats {
  const known = formats.get(timeZone ?? '')
  if (known) return known
  const of = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat('en-US', { ...options, ...(timeZone ? { timeZone } : {}) })
  const made: ZoneFormats = {
    clock: of({ hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }),
    day: of({ day: 'numeric', month: 'short' }),
    dayOfYear: of({ day: 'numeric', month: 'short', year: 'numeric' }),
    zone: of({ timeZoneName: 'short' }),
  }
  formats.set(timeZone ?? '', made)
  return made
}

/** Time of day, `10:54:43`. `timeZone` is an IANA name here and below; left out, it is the zone of this machine. */
export function clockTime(atMs: number, timeZone?: string): string {
  return Number.isFinite(atMs) ? formatsOf(timeZone).clock.format(atMs) : noFigure
}

/** The zone as a reader knows it at that time, for summer time changes it: `UTC`, `EST`, `GMT+2`. */
export function zoneName(atMs: number, timeZone?: string): string {
  const part = formatsOf(timeZone)
    .zone.formatToParts(atMs)
    .find(({ type }) => type === 'timeZoneName')
  return part?.value ?? ''
}

/**
 * `10:54:43` on the same day as `nowMs`, `Nov 28, 10:54:43 UTC` in the same year, else
 * `Nov 28, 2025, 10:54:43 UTC`: the zone stands wherever the day does.
 */
export function dateTime(atMs: number, nowMs: number, timeZone?: string): string {
  if (!Number.isFinite(atMs)) return noFigure
  const { dayOfYear, day } = formatsOf(timeZone)
  const whole = dayOfYear.format(atMs)
  const present = Number.isFinite(nowMs) ? dayOfYear.format(nowMs) : ''
  if (whole === present) return clockTime(atMs, timeZone)
  const isThisYear = whole.slice(-4) === present.slice(-4)
  return `${isThisYear ? day.format(atMs) : whole}, ${clockTime(atMs, timeZone)} ${zoneName(atMs, timeZone)}`
}

/** Day, time and zone, whatever the day is: `Nov 28, 2025, 10:54:43 UTC`. */
export function fullDateTime(atMs: number, timeZone?: string): string {
  return dateTime(atMs, Number.NaN, timeZone)
}
