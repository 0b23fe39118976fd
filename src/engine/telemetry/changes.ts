import {
  limitName,
  phraseText,
  share,
  type Host,
  type HostState,
  type LimitState,
} from '../../contract/index.ts'
import type { Episode, News } from '../journal/index.ts'

/**
 * What is worth telling a person between two states of a host: a limit that was passed, made worse or left, and data
 * that went silent or came back. Changes of figures alone are none.
 */
export function changesOf(host: Host, before: HostState | undefined, after: HostState): News[] {
  const link = `/host/${encodeURIComponent(host.id)}`
  const name = phraseText(host.name)
  const changes: News[] = []
  const wasSilent = before?.quality.freshness === 'stale'
  const isSilent = after.quality.freshness === 'stale'
  if (before && !wasSilent && isSilent) {
    changes.push({
      severity: 'warning',
      text: `${name} is not reporting: its data is stale`,
      link,
      episode: episode(`${link} silence`),
    })
  }
  if (wasSilent && !isSilent) {
    const over = episode(`${link} silence`, 'it is reporting again')
    changes.push({ severity: 'ok', text: `${name} is reporting again`, link, episode: over })
  }

  const known = new Map(before?.limits.map((limit) => [keyOf(limit), limit]))
  for (const limit of after.limits) {
    const earlier = known.get(keyOf(limit))
    known.delete(keyOf(limit))
    if (earlier?.severity === limit.severity) continue
    const isCritical = limit.severity === 'critical'
    const what =
      earlier?.severity === 'critical'
        ? `is back below critical (${figure(limit, limit.critical)})`
        : `above ${figure(limit, isCritical ? limit.critical : limit.warning)}`
    changes.push({
      severity: isCritical ? 'critical' : 'warning',
      text: `${name}: ${limitName(limit)} ${what}`,
      link,
      episode: episode(`${link} ${keyOf(limit)}`),
    })
  }
  for (const limit of known.values()) {
    changes.push({
      severity: 'ok',
      text: `${name}: ${limitName(limit)} is below ${figure(limit, limit.warning)} again`,
      link,
      episode: episode(`${link} ${keyOf(limit)}`, `below ${figure(limit, limit.warning)} again`),
    })
  }
  return changes
}

const episode = (key: string, ending: string | null = null): Episode => ({ key, ending })

const keyOf = ({ kind, subject }: LimitState): string => `${kind} ${subject}`

const figure = ({ unit }: LimitState, value: number): string =>
  unit === 'celsius' ? `${Math.round(value)} °C` : share(value)
