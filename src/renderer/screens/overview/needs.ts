import {
  limitName,
  problemsText,
  configRejected,
  weightText,
  type ConfigProblem,
  type Deployment,
  type LimitState,
  type LiveRecords,
  type ReadinessCheck,
  type ServiceState,
} from '../../../contract/index.ts'
import { dateTime, duration, quantityText } from '../../format/index.ts'
import { deploymentPath, hostPath, sectionOf, servicePath } from '../../routing/index.ts'
import { deploymentsIn, servicesIn } from '../../state/service-records.ts'
import type { HostView } from '../../state/standing.svelte.ts'

/** Something a person should look at, with the one obvious thing to do about it. */
export interface Need {
  id: string
  severity: 'critical' | 'warning' | 'stale'
  title: string
  detail: string
  action: { label: string; href: string }
}

const rank = { critical: 0, warning: 1, stale: 2 } as const

/** All that needs a person now, worst first; within a severity the engine's own trouble before the hosts'. */
export function needsOf(records: Partial<LiveRecords>, hosts: HostView[], nowMs: number): Need[] {
  const needs = [
    ...(records.engine?.checks ?? []).filter(({ ok }) => !ok).map((check) => checkNeed(check, nowMs)),
    ...configNeeds(records.config?.problems ?? []),
    ...servicesIn(records).flatMap((service) => serviceNeeds(service, nowMs)),
    ...deploymentsIn(records).flatMap(deploymentNeeds),
    ...hosts.flatMap((view) => hostNeeds(view, nowMs)),
  ]
  return needs.sort((a, b) => rank[a.severity] - rank[b.severity])
}

function checkNeed(check: ReadinessCheck, nowMs: number): Need {
  return {
    id: `check:${check.name}`,
    severity: 'critical',
    title: `The engine is not ready: ${check.name}`,
    detail: `${check.text} · since ${dateTime(check.sinceMs, nowMs)}`,
    action: { label: 'View checks', href: '/settings/about' },
  }
}

function configNeeds(problems: ConfigProblem[]): Need[] {
  if (problems.length === 0) return []
  return [
    {
      id: 'config',
      severity: 'warning',
      title: `${configRejected}; the previous one stays in use`,
      detail: problemsText(problems),
      action: { label: 'View configuration', href: '/settings/config' },
    },
  ]
}

function serviceNeeds(service: ServiceState, nowMs: number): Need[] {
  const { name, automationStopped: stopped, concerns } = service
  return concerns.map(({ kind, severity, text, detail }) => ({
    id: `service:${name}:${kind}`,
    severity,
    title: `${name}: ${text}`,
    detail:
      kind === 'automation-stopped' && stopped
        ? `by ${stopped.by.name}, ${dateTime(stopped.atMs, nowMs)}: ${detail}`
        : detail,
    action: {
      label: kind === 'automation-stopped' ? 'Resume…' : 'Open the service',
      href: servicePath(name),
    },
  }))
}

/** A deployment that waits for a person, and one that goes back. */
function deploymentNeeds(deployment: Deployment): Need[] {
  const { id, phase, service, candidateReleaseId, weight, reason } = deployment
  if (phase !== 'paused' && phase !== 'rolling_back') return []
  return [
    {
      id: `deployment:${id}`,
      severity: 'warning',
      title:
        phase === 'paused'
          ? `${service}: ${candidateReleaseId} is paused at ${weightText(weight)}`
          : `${service}: ${candidateReleaseId} is being rolled back`,
      detail: reason,
      action: { label: 'Open the deployment', href: deploymentPath(id) },
    },
  ]
}

function hostNeeds({ host, state }: HostView, nowMs: number): Need[] {
  if (!state) return []
  const silent: Need[] =
    state.quality.freshness === 'stale'
      ? [
          {
            id: `silent:${host.id}`,
            severity: 'stale',
            title: `${host.name} is not reporting`,
            detail: `last sample ${dateTime(state.quality.lastSampleMs, nowMs)} · not used for decisions`,
            action: { label: 'Open the host', href: hostPath(host.id) },
          },
        ]
      : []
  const limits = state.limits.flatMap((limit) =>
    limit.severity === 'critical' || limit.severity === 'warning'
      ? [limitNeed(host.id, host.name, limit, limit.severity, nowMs)]
      : [],
  )
  return [...silent, ...limits]
}

function limitNeed(
  hostId: string,
  hostName: string,
  limit: LimitState,
  severity: 'critical' | 'warning',
  nowMs: number,
): Need {
  const value = limit.value === null ? '' : ` at ${quantityText(limit.value, limit.unit)}`
  const bound = round(quantityText(limit[severity], limit.unit))
  return {
    id: `limit:${hostId}:${limit.kind}:${limit.subject}`,
    severity,
    title: `${hostName}: ${limitName(limit)}${value}`,
    detail: `limit ${bound} · ${round(duration(limit.holdMs))} mean · since ${limit.isOlder ? 'before ' : ''}${dateTime(limit.sinceMs, nowMs)}`,
    action: { label: 'Open the chart', href: hostPath(hostId, sectionOf(limit.series)) },
  }
}

/** What a person wrote is not measured: 80%, not 80.0%. */
const round = (text: string) => text.replace(/\.0(?=\D)/, '')
