import type { Host, HostState, LimitState, Notice } from '../../contract/index.ts'
import { labelText, percentText } from './wording.ts'

/** A notice before the journal has given it a place. */
export type Change = Omit<Notice, 'id' | 'atMs'>

/**
 * What is worth telling a person between two states of a host: a limit that was passed, made worse or left, and data
 * that went silent or came back. Changes of figures alone are none.
 */
export function changesOf(host: Host, before: HostState | undefined, after: HostState): Change[] {
  const link = `/host/${encodeURIComponent(host.id)}`
  const name = labelText(host.name)
  const changes: Change[] = []
  const wasSilent = before?.quality.freshness === 'stale'
  const isSilent = after.quality.freshness === 'stale'
  if (before && !wasSilent && isSilent) {
    changes.push({ severity: 'warning', text: `${name} fell silent: its data is stale`, link })
  }
  if (wasSilent && !isSilent) changes.push({ severity: 'ok', text: `${name} reports again`, link })

  const known = new Map(before?.limits.map((limit) => [keyOf(limit), limit]))
  for (const limit of after.limits) {
    const earlier = known.get(keyOf(limit))
    known.delete(keyOf(limit))
    if (earlier?.severity === limit.severity) continue
    const isCritical = limit.severity === 'critical'
    const what =
      earlier?.severity === 'critical'
        ? `is back below critical (${figure(limit, limit.critical)})`
        : `passed ${figure(limit, isCritical ? limit.critical : limit.warning)}`
    changes.push({
      severity: isCritical ? 'critical' : 'warning',
      text: `${name}: ${subjectOf(limit)} ${what}`,
      link,
    })
  }
  for (const limit of known.values()) {
    changes.push({
      severity: 'ok',
      text: `${name}: ${subjectOf(limit)} is below ${figure(limit, limit.warning)} again`,
      link,
    })
  }
  return changes
}

const keyOf = ({ kind, subject }: LimitState): string => `${kind} ${subject}`

const subjectOf = ({ kind, subject }: LimitState): string =>
  subject ? `${kind} ${labelText(subject)}` : kind

const figure = ({ unit }: LimitState, value: number): string =>
  unit === 'celsius' ? `${Math.round(value)} °C` : percentText(value)
