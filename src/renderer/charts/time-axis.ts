import { shownZone } from '../format/index.ts'

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

const steps = [
  5 * second,
  10 * second,
  15 * second,
  30 * second,
  minute,
  2 * minute,
  5 * minute,
  10 * minute,
  15 * minute,
  30 * minute,
  hour,
  2 * hour,
  3 * hour,
  6 * hour,
  12 * hour,
  day,
  2 * day,
  7 * day,
  14 * day,
]

export interface TimeTick {
  timeMs: number
  text: string
}

/**
 * At most `most` round local times between two times, with their text: the time of day, and the date at midnight.
 * `offsetMs` is local time minus UTC at a given time; it may change inside the range.
 */
export function timeTicks(
  fromMs: number,
  toMs: number,
  most: number,
  offsetMs: (timeMs: number) => number,
): TimeTick[] {
  if (!(toMs > fromMs) || most < 1) return []
  const stepMs =
    steps.find((step) => (toMs - fromMs) / step <= most) ?? Math.ceil((toMs - fromMs) / most / day) * day
  const ticks: TimeTick[] = []
  let localMs = Math.ceil((fromMs + offsetMs(fromMs)) / stepMs) * stepMs
  for (;;) {
    const guessMs = localMs - offsetMs(localMs - offsetMs(fromMs))
    if (guessMs > toMs) return ticks
    if (guessMs >= fromMs) ticks.push({ timeMs: guessMs, text: tickText(localMs, stepMs) })
    localMs += stepMs
  }
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

function tickText(localMs: number, stepMs: number): string {
  const local = new Date(localMs)
  if (localMs % day === 0) return `${months[local.getUTCMonth()] ?? ''} ${local.getUTCDate()}`
  const pad = (value: number) => String(value).padStart(2, '0')
  const time = `${pad(local.getUTCHours())}:${pad(local.getUTCMinutes())}`
  return stepMs < minute ? `${time}:${pad(local.getUTCSeconds())}` : time
}

/** Shown time minus UTC in the zone that the person chose, milliseconds. */
export const shownOffsetMs = (timeMs: number): number =>
  shownZone() === 'UTC' ? 0 : -new Date(timeMs).getTimezoneOffset() * minute
