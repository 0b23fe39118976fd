import { type HealthReason, type LiveRecords, type Severity } from '../src/contract/index.ts'

/** The engine as the shell sees it: what it last told, or why it tells nothing. */
export type Watched = { isLive: true; records: Partial<LiveRecords> } | { isLive: false; reason: string }

/** What tray, badge and notifications show; the shape and the sentence say the same. */
export interface EngineStanding {
  severity: Severity
  /** How many things need a person. */
  count: number
  /** One line with the worst of them. */
  sentence: string
}

/** The worst of everything the engine told. Without live data nothing is known, so nothing is called well. */
export function standingOf(watched: Watched): EngineStanding {
  if (!watched.isLive) return { severity: 'stale', count: 0, sentence: watched.reason }
  const { health, engine, config } = watched.records
  const failing = (engine?.checks ?? []).filter(({ ok }) => !ok)
  const needs = reasonsThatNeed(watched.records)
  const mistakes = config?.problems ?? []
  const count = needs.length + failing.length + mistakes.length
  for (const severity of ['critical', 'warning'] as const) {
    if (health?.severity === severity) return { severity, count, sentence: lineOf(health.score, needs) }
  }
  const [check] = failing
  if (check) return { severity: 'warning', count, sentence: `${check.name}: ${check.text}` }
  const [mistake] = mistakes
  if (mistake) return { severity: 'warning', count, sentence: `configuration: ${mistake.message}` }
  if (!health || health.score === null || health.severity === 'stale') {
    return { severity: 'stale', count, sentence: health?.reasons[0]?.text ?? 'no data yet' }
  }
  return { severity: 'ok', count, sentence: `health ${Math.round(health.score)} of 100` }
}

/** What is worth waking someone for, and the screen that shows it. */
export interface Worsening {
  severity: 'warning' | 'critical'
  text: string
  path: string
}

/**
 * What got worse from one state to the next: the environment itself, or one more critical reason in it. The first
 * known state is only compared against, so that opening the app does not repeat what its window shows.
 */
export function worseningOf(before: Partial<LiveRecords>, now: Partial<LiveRecords>): Worsening | undefined {
  if (!before.health || before.health.score === null || !now.health) return undefined
  const { severity } = now.health
  if (severity !== 'warning' && severity !== 'critical') return undefined
  const known = new Set(reasonsThatNeed(before).map(keyOf))
  const news = reasonsThatNeed(now).filter((reason) => !known.has(keyOf(reason)))
  const isWorse = rank[severity] > rank[before.health.severity]
  const worst = isWorse
    ? (news[0] ?? now.health.reasons[0])
    : news.find((reason) => reason.severity === 'critical')
  if (!worst) return undefined
  return {
    severity: isWorse ? severity : 'critical',
    text: worst.text,
    path: pathOf(worst),
  }
}

const pathOf = ({ hostId, service }: HealthReason): string => {
  if (service) return `/services/${encodeURIComponent(service)}`
  return hostId ? `/host/${encodeURIComponent(hostId)}` : '/overview'
}

const rank: Record<Severity, number> = { ok: 0, stale: 0, warning: 1, critical: 2 }

/** A reason that grew from warning to critical is a new one. */
const keyOf = ({ severity, hostId, service, series }: HealthReason): string =>
  [severity, hostId, service, series].join(' ')

const reasonsThatNeed = ({ health }: Partial<LiveRecords>): HealthReason[] =>
  (health?.reasons ?? []).filter(({ severity }) => severity === 'warning' || severity === 'critical')

function lineOf(score: number | null, reasons: readonly HealthReason[]): string {
  const scored = score === null ? 'health unknown' : `health ${Math.round(score)} of 100`
  return reasons[0] ? `${scored}: ${reasons[0].text}` : scored
}
