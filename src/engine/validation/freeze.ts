import { Cron } from 'croner'
import { failed, passed, type CheckVerdict } from './model.ts'

/** When nobody deploys. Local times are of `timeZone`; a cron pattern has five fields. */
export type FreezeWindow = { reason: string; timeZone: string } & (
  { from: string; to: string } | { cron: string; durationMs: number }
)

/** A window that never ends, such as one that begins anew before it is over. */
const mostRepeats = 1000

/** Whether a deployment may begin at `nowMs`: a window holds from its first millisecond to before its end. */
export function judgeFreeze(windows: readonly FreezeWindow[], nowMs: number): CheckVerdict {
  const holding = windows.flatMap((window) => {
    const untilMs = frozenUntilMs(window, nowMs)
    return untilMs === null ? [] : [{ window, untilMs }]
  })
  if (holding.length === 0) return passed('No freeze window is active.')
  const texts = holding.map(
    ({ window, untilMs }) => `${window.reason}, ${untilText(untilMs, window.timeZone)}`,
  )
  return failed(`Deployments are frozen: ${texts.join('; ')}.`)
}

/** When the window that holds at `nowMs` ends; Infinity when it never does, null when none holds. */
function frozenUntilMs(window: FreezeWindow, nowMs: number): number | null {
  if ('from' in window) {
    const [fromMs, toMs] = [instantOf(window.from, window.timeZone), instantOf(window.to, window.timeZone)]
    return nowMs >= fromMs && nowMs < toMs ? toMs : null
  }
  const pattern = new Cron(window.cron, { timezone: window.timeZone, paused: true })
  let start = pattern.nextRun(new Date(nowMs - window.durationMs))?.getTime()
  if (start === undefined || start > nowMs) return null
  let untilMs = start + window.durationMs
  for (let repeats = 0; start !== undefined && start <= untilMs; repeats++) {
    if (repeats > mostRepeats) return Infinity
    untilMs = start + window.durationMs
    start = pattern.nextRun(new Date(start))?.getTime()
  }
  return untilMs
}

/** UTC epoch ms of a local time such as `2026-12-24T18:00`. Throws when it is none: the schema keeps that away. */
export function instantOf(localTime: string, timeZone: string): number {
  const written = localTime.length === 16 ? `${localTime}:00` : localTime
  const instant = new Cron(written, { timezone: timeZone, paused: true }).nextRun(new Date(0))
  if (!instant) throw new RangeError(`${localTime} does not exist in ${timeZone}`)
  return instant.getTime()
}

/** Whether croner reads it as five fields. */
export function isCronPattern(pattern: string): boolean {
  try {
    new Cron(pattern, { paused: true, mode: '5-part' })
    return true
  } catch {
    return false
  }
}

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/** `2026-12-24T18:00`, seconds if wanted; a day that exists. */
export function isLocalTime(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/.test(text)) return false
  const written = text.length === 16 ? `${text}:00` : text
  const read = new Date(`${written}Z`)
  return !Number.isNaN(read.getTime()) && read.toISOString().slice(0, 19) === written
}

function untilText(untilMs: number, timeZone: string): string {
  if (untilMs === Infinity) return 'indefinitely'
  const text = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone }).format(
    untilMs,
  )
  return `until ${text} (${timeZone})`
}
