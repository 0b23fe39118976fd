import type { LimitState, Severity } from '../../contract/index.ts'

/** What limits stand on. */
export const limitKinds = [
  'cpu',
  'memory',
  'disk',
  'inodes',
  'swap',
  'cpuPressure',
  'memoryPressure',
  'ioPressure',
  'iowait',
  'steal',
  'temperature',
  'networkErrors',
  'networkDrops',
] as const
export type LimitKind = (typeof limitKinds)[number]

/** Thresholds in the unit of the kind: °C for `temperature`, a ratio for all others. */
export interface Limit {
  warning: number
  critical: number
  /** The mean over this time is compared, ms, so that a short peak is none. */
  holdMs: number
}
export type Limits = Record<LimitKind, Limit>

const limit = (warning: number, critical: number, holdSeconds: number): Limit => ({
  warning,
  critical,
  holdMs: holdSeconds * 1000,
})

/** What is compared when nothing else is configured. */
export const defaultLimits: Limits = {
  cpu: limit(0.8, 0.95, 30),
  memory: limit(0.8, 0.95, 30),
  disk: limit(0.8, 0.95, 10),
  inodes: limit(0.8, 0.95, 10),
  swap: limit(0.8, 0.95, 60),
  cpuPressure: limit(0.5, 0.8, 60),
  memoryPressure: limit(0.1, 0.3, 60),
  ioPressure: limit(0.3, 0.6, 60),
  iowait: limit(0.2, 0.4, 60),
  steal: limit(0.1, 0.3, 60),
  temperature: limit(85, 95, 30),
  networkErrors: limit(0.001, 0.01, 60),
  networkDrops: limit(0.01, 0.05, 60),
}

/** A severity is left only when the mean is this far below its threshold, as a share of it. */
const releaseMargin = 0.05
/** At least this share of the hold time must be measured before a state may change. */
export const leastCoverage = 0.5

/** What was measured for one limit over its hold time. */
export interface Measured {
  /** Mean of the numbers in it; NaN when there were none. */
  mean: number
  /** Time those numbers stand for, ms. */
  coveredMs: number
}

/** What a limit is on, which does not change while it lives. */
export type LimitSubject = Pick<LimitState, 'subject' | 'series' | 'unit'> & { kind: LimitKind }

/**
 * The next state of a limit. A mean at or above a threshold raises it; only a mean 5 % below the threshold lets it go,
 * so that a value at the limit does not flap. While less than half of the hold time is measured, it stays as it is;
 * when nothing is, it is `stale`. `sinceMs` moves only with the severity. What is broken as soon as enough is measured was
 * so before anyone looked: it `isOlder` than its start.
 */
export function decideLimit(
  previous: LimitState | undefined,
  subject: LimitSubject,
  measured: Measured,
  { warning, critical, holdMs }: Limit,
  atMs: number,
): LimitState {
  const before = previous?.severity ?? 'stale'
  const severity = severityOf(before, measured, { warning, critical, holdMs })
  const isBroken = isRaised(severity)
  const isFirst = previous === undefined || (previous.isOlder === true && !isRaised(before))
  const isCovered = measured.coveredMs >= leastCoverage * holdMs
  const isOlder = isFirst
    ? isBroken || !isCovered
    : isRaised(before) && severity === before && previous.isOlder === true
  const keepsStart = previous !== undefined && (severity === before || (isFirst && isBroken))
  return {
    ...subject,
    severity,
    value: Number.isFinite(measured.mean) ? measured.mean : null,
    warning,
    critical,
    holdMs,
    sinceMs: keepsStart ? previous.sinceMs : atMs,
    ...(isOlder ? { isOlder } : {}),
  }
}

const isRaised = (severity: Severity): boolean => severity === 'warning' || severity === 'critical'

function severityOf(before: Severity, { mean, coveredMs }: Measured, limit: Limit): Severity {
  if (!Number.isFinite(mean)) return 'stale'
  if (coveredMs < leastCoverage * limit.holdMs) return before === 'stale' ? 'ok' : before
  const release = 1 - releaseMargin
  if (mean >= limit.critical * (before === 'critical' ? release : 1)) return 'critical'
  return mean >= limit.warning * (isRaised(before) ? release : 1) ? 'warning' : 'ok'
}
