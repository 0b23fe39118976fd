import type { Host, HostState, LimitState } from '../../contract/index.ts'
import type { Episode, News } from '../journal/index.ts'
import type { LimitKind } from './limits.ts'
import { labelText, percentText } from './wording.ts'

/** News of a host: what a limit does, and whether the host reports, are episodes. */
export type Change = News

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
    changes.push({
      severity: 'warning',
      text: `${name} fell silent: its data is stale`,
      link,
      episode: episode(`${link} silence`),
    })
  }
  if (wasSilent && !isSilent) {
    const over = episode(`${link} silence`, 'it reports again')
    changes.push({ severity: 'ok', text: `${name} reports again`, link, episode: over })
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
        : `passed ${figure(limit, isCritical ? limit.critical : limit.warning)}`
    changes.push({
      severity: isCritical ? 'critical' : 'warning',
      text: `${name}: ${subjectOf(limit)} ${what}`,
      link,
      episode: episode(`${link} ${keyOf(limit)}`),
    })
  }
  for (const limit of known.values()) {
    changes.push({
      severity: 'ok',
      text: `${name}: ${subjectOf(limit)} is below ${figure(limit, limit.warning)} again`,
      link,
      episode: episode(`${link} ${keyOf(limit)}`, `below ${figure(limit, limit.warning)} again`),
    })
  }
  return changes
}

const episode = (key: string, ending: string | null = null): Episode => ({ key, ending })

const keyOf = ({ kind, subject }: LimitState): string => `${kind} ${subject}`

/** Each limit in words that fit before "passed 80 %"; what it stands on follows. */
const words: Record<LimitKind, string> = {
  cpu: 'CPU use',
  memory: 'memory use',
  disk: 'disk',
  inodes: 'inodes of',
  swap: 'swap use',
  cpuPressure: 'time waited for CPU',
  memoryPressure: 'time waited for memory',
  ioPressure: 'time waited for I/O',
  iowait: 'I/O wait',
  steal: 'CPU time stolen',
  temperature: 'temperature of',
  networkErrors: 'network errors of',
  networkDrops: 'dropped packets of',
}

function subjectOf({ kind, subject }: LimitState): string {
  const word = words[kind as LimitKind]
  return subject ? `${word} ${labelText(subject)}` : word.replace(/ of$/, '')
}

const figure = ({ unit }: LimitState, value: number): string =>
  unit === 'celsius' ? `${Math.round(value)} °C` : percentText(value)
