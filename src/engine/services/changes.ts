import type { Concern } from '../../contract/index.ts'

/** What happened to a service, for the list of events. */
export interface ServiceNews {
  severity: 'ok' | 'warning' | 'critical'
  text: string
  link: string
}

/** The concerns of a service that events told of and that still hold, with the severity told. */
export type Told = ReadonlyMap<Concern['kind'], Concern['severity']>

/** What passes sooner, as at a start or while an instance is replaced, is no event. */
const holdMs = 5000

/** Kinds whose end is worth an event; the others end by time or by a person. */
const recovering: ReadonlySet<Concern['kind']> = new Set([
  'not-listening',
  'refused',
  'no-healthy-instance',
  'no-traffic',
  'errors',
  'abandoned',
  'trouble',
  'latency',
  'instances-down',
])

/** A person stopped it, the platform says once for all services what it cannot keep, and a file was changed. */
const haveOwnEvents: ReadonlySet<Concern['kind']> = new Set([
  'automation-stopped',
  'not-kept',
  'release-changed',
])

/**
 * Events of a service: a concern that has held for 5 s, once, and again when it becomes critical; and the recovery when
 * the last concern that was told of is gone.
 */
export function serviceChanges(
  name: string,
  told: Told,
  concerns: readonly Concern[],
  nowMs: number,
): { changes: ServiceNews[]; told: Told } {
  const link = `/services/${encodeURIComponent(name)}`
  const changes: ServiceNews[] = []
  const still = new Map<Concern['kind'], Concern['severity']>()
  for (const { kind, severity, text, detail, sinceMs } of concerns) {
    if (haveOwnEvents.has(kind)) continue
    const before = told.get(kind)
    const isNews =
      before === undefined ? nowMs - sinceMs >= holdMs : before === 'warning' && severity === 'critical'
    if (isNews)
      changes.push({ severity, text: `${name}: ${text}${detail === '' ? '' : ` (${detail})`}`, link })
    const known = isNews ? severity : before
    if (known !== undefined) still.set(kind, known)
  }
  const isTroubled = (kinds: Told) => [...kinds.keys()].some((kind) => recovering.has(kind))
  if (isTroubled(told) && !isTroubled(still))
    changes.push({ severity: 'ok', text: `${name}: recovered`, link })
  return { changes, told: still }
}
