/** What the panel goes by: what the engine says now, or what was known at a time of this page's clock, ms. */
export type Knowledge = { kind: 'current' } | { kind: 'old'; atMs: number } | { kind: 'none' }

export interface KnowledgeInput {
  nowMs: number
  /** Figures may be read as the present. */
  isCurrent: boolean
  /** Of the newest live state; null when there never was any. */
  ageMs: number | null
  /** When a call was answered with all services; null when none was. */
  askedAtMs: number | null
}

/** Which knowledge of the services is the newest, and whether it came by a call. */
export function knowledgeOf(input: KnowledgeInput): Knowledge & { isAsked: boolean } {
  const { nowMs, isCurrent, ageMs, askedAtMs } = input
  if (isCurrent) return { kind: 'current', isAsked: false }
  const liveAtMs = ageMs === null ? -Infinity : nowMs - ageMs
  const isAsked = askedAtMs !== null && askedAtMs >= liveAtMs
  const atMs = isAsked ? askedAtMs : liveAtMs
  return atMs === -Infinity ? { kind: 'none', isAsked: false } : { kind: 'old', atMs, isAsked }
}
