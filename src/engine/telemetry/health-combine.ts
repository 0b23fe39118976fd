import type { Health, HealthReason, Severity } from '../../contract/index.ts'

/** A host or a service of an environment, or an environment of the whole. */
export interface HealthMember {
  health: Health
  /** Its last score before it became unknown; null when there never was one. */
  lastScore: number | null
}

/** The worst member counts this much, the mean of all members the rest: the worst is never averaged away. */
const worstWeight = 0.7
/** A member we know nothing of is at best this far from well. */
const unknownDeficit = 30
/** More reasons than this nobody reads; the others stand together in one last line. */
const reasonLimit = 20

/**
 * Health of an environment from its hosts and services, and of everything from its environments.
 *
 *     score = 100 − (0.7 × worst deficit + 0.3 × mean deficit), rounded; deficit = 100 − score of a member
 *
 * A member whose score is unknown counts with its last known deficit, and with at least 30, so that an ill host does
 * not look well by falling silent; it shows as a warning here. When all members are unknown, so is the score; without
 * members there is none. Reasons are the members', worst first, with the points each takes here; together they are
 * 100 − score. One member alone gives its own score. The order of members does not matter.
 */
export function combineHealth(members: readonly HealthMember[]): Health {
  const isUnknown = members.every(({ health }) => health.score === null)
  const deficits = members.map(deficitOf)
  const worst = Math.max(0, ...deficits)
  const worstCount = deficits.filter((deficit) => deficit === worst).length
  const sum = deficits.reduce((total, deficit) => total + deficit, 0)
  const shares = members
    .flatMap((member, i) => {
      const deficit = deficits[i] ?? 0
      const ofWorst = deficit === worst ? (worstWeight * deficit) / worstCount : 0
      return sharesOf(member.health, ofWorst + ((1 - worstWeight) * deficit) / members.length)
    })
    .sort(worstFirst)
  if (isUnknown) {
    const reasons = listed(shares.map(({ reason }) => ({ ...reason, points: 0 })))
    return { score: null, severity: 'stale', reasons }
  }
  const score = Math.round(100 - worstWeight * worst - ((1 - worstWeight) * sum) / members.length)
  return { score, severity: severityOf(members), reasons: listed(inWholePoints(shares, 100 - score)) }
}

interface Share {
  reason: HealthReason
  /** Not rounded. */
  points: number
}

function deficitOf({ health, lastScore }: HealthMember): number {
  return health.score === null ? Math.max(unknownDeficit, 100 - (lastScore ?? 100)) : 100 - health.score
}

/** Spreads the points a member takes over its reasons, as they took points from the member. */
function sharesOf({ reasons }: Health, points: number): Share[] {
  const total = reasons.reduce((sum, reason) => sum + reason.points, 0)
  return reasons.map((reason, i) => {
    const part = total > 0 ? reason.points / total : i === 0 ? 1 : 0
    return { reason, points: points * part }
  })
}

/** Whole points whose sum is `total`: each takes what the rounded running sum moves by. */
function inWholePoints(shares: readonly Share[], total: number): HealthReason[] {
  const sum = shares.reduce((all, share) => all + share.points, 0)
  let running = 0
  let taken = 0
  return shares.map(({ reason, points }, i) => {
    running += points
    const upTo = i === shares.length - 1 ? total : Math.min(total, Math.round((running / (sum || 1)) * total))
    const own = upTo - taken
    taken = upTo
    return { ...reason, points: own }
  })
}

/** The first reasons, and a line for the rest with their points. */
function listed(reasons: HealthReason[]): HealthReason[] {
  if (reasons.length <= reasonLimit) return reasons
  const rest = reasons.slice(reasonLimit - 1)
  const line: HealthReason = {
    severity: rest.reduce((worst: Severity, { severity }) => worse(worst, severity), 'ok'),
    hostId: '',
    service: '',
    text: `${rest.length} more reasons`,
    points: rest.reduce((sum, { points }) => sum + points, 0),
    sinceMs: Math.min(...rest.map(({ sinceMs }) => sinceMs)),
    series: '',
  }
  return [...reasons.slice(0, reasonLimit - 1), line]
}

function severityOf(members: readonly HealthMember[]): Severity {
  const severities = members.map(({ health }) => (health.severity === 'stale' ? 'warning' : health.severity))
  return severities.reduce(worse, 'ok')
}

const rank: Record<Severity, number> = { ok: 0, warning: 1, stale: 2, critical: 3 }
const worse = (a: Severity, b: Severity): Severity => (rank[a] >= rank[b] ? a : b)

/** By points here, then by points at the member, then in an order that does not depend on that of the members. */
function worstFirst(a: Share, b: Share): number {
  return (
    b.points - a.points ||
    b.reason.points - a.reason.points ||
    rank[b.reason.severity] - rank[a.reason.severity] ||
    compare(a.reason.hostId, b.reason.hostId) ||
    compare(a.reason.service, b.reason.service) ||
    compare(a.reason.text, b.reason.text)
  )
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
