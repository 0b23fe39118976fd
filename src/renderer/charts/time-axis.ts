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
 * At most about `most` round local times between two times, with their text: the time of day, and the date at midnight.
 * `offsetMs` is local time minus UTC at a given time; it may change inside the range. A local time that a change leaves
 * out has no tick, and one that a change repeats has two if they are a step apart. A day that begins later than
 * midnight has its date where it begins.
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
  let last = { timeMs: -Infinity, localMs: -Infinity }
  const add = (timeMs: number, localMs: number) => {
    const isRepeated = localMs <= last.localMs && timeMs - last.timeMs < stepMs
    if (timeMs <= last.timeMs || isRepeated) return
    ticks.push({ timeMs, text: tickText(localMs, stepMs) })
    last = { timeMs, localMs }
  }
  let sinceMs = fromMs
  for (;;) {
    const offset = offsetMs(sinceMs)
    let localMs = Math.ceil((sinceMs + offset) / stepMs) * stepMs
    for (; localMs - offset <= toMs && offsetMs(localMs - offset) === offset; localMs += stepMs)
      add(localMs - offset, localMs)
    const untilMs = Math.min(localMs - offset, toMs)
    if (offsetMs(untilMs) === offset) return ticks
    sinceMs = firstOf((timeMs) => offsetMs(timeMs) !== offset, sinceMs, untilMs)
    const midnightMs = Math.floor((sinceMs + offsetMs(sinceMs)) / day) * day
    if (midnightMs >= sinceMs + offset && midnightMs % stepMs === 0) add(sinceMs, midnightMs)
  }
}

/** The first time at which `is` holds: not at `lowMs` yet, at `highMs` already. */
function firstOf(is: (timeMs: number) => boolean, lowMs: number, highMs: number): number {
  let low = Math.floor(lowMs)
  let high = Math.ceil(highMs)
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (is(middle)) high = middle
    else low = middle
  }
  return high
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
