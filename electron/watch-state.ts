import {
  serviceConcerns,
  type HealthReason,
  type LiveRecords,
  type ServiceState,
  type Severity,
} from '../src/contract/index.ts'

/** The engine as the shell sees it: what it last told, or why it tells nothing. */
export type Watched = { isLive: true; records: Partial<LiveRecords> } | { isLive: false; reason: string }

/** What tray, badge and notifications show; the shape and the sentence say the same. */
export interface Standing {
  severity: Severity
  /** How many things need a person. */
  count: number
  /** One line with the worst of them. */
  sentence: string
}

/** The worst of everything the engine told. Without live data nothing is known, so nothing is called well. */
export function standingOf(watched: Watched): Standing {
  if (!watched.isLive) return { severity: 'stale', count: 0, sentence: watched.reason }
  const { health, engine, config } = watched.records
  const failing = (engine?.checks ?? []).filter(({ ok }) => !ok)
  const needs = reasonsThatNeed(watched.records)
  const mistakes = config?.problems ?? []
  const concerns = concernsOf(watched.records)
  const count = needs.length + concerns.length + failing.length + mistakes.length
  for (const severity of ['critical', 'warning'] as const) {
    if (health?.severity === severity) return { severity, count, sentence: lineOf(health.score, needs) }
    const concern = concerns.find((each) => each.severity === severity)
    if (concern) return { severity, count, sentence: `${concern.service}: ${concern.text}` }
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

/** What is worth waking somebody for, and the screen that shows it. */
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
    path: worst.hostId ? `/host/${encodeURIComponent(worst.hostId)}` : '/overview',
  }
}

const rank: Record<Severity, number> = { ok: 0, stale: 0, warning: 1, critical: 2 }

/** A reason that grew from warning to critical is a new one. */
const keyOf = ({ severity, hostId, series }: HealthReason): string => `${severity} ${hostId} ${series}`

const reasonsThatNeed = ({ health }: Partial<LiveRecords>): HealthReason[] =>
  (health?.reasons ?? []).filter(({ severity }) => severity === 'warning' || severity === 'critical')

/** What is wrong with services: the health is that of hosts. */
const concernsOf = (records: Partial<LiveRecords>) =>
  Object.entries(records)
    .flatMap(([key, record]) => (key.startsWith('service:') ? [record as ServiceState] : []))
    .flatMap((service) =>
      serviceConcerns(service, service.updatedAtMs).map((concern) => ({ service: service.name, ...concern })),
    )

function lineOf(score: number | null, reasons: readonly HealthReason[]): string {
  const scored = score === null ? 'health unknown' : `health ${Math.round(score)} of 100`
  return reasons[0] ? `${scored}: ${reasons[0].text}` : scored
}
