import type { Concern, Health } from '../../contract/index.ts'

/** Points of 100 that a concern takes, as `hostHealth` takes them for a host's problems. */
const penalties: Record<Concern['kind'], Record<Concern['severity'], number>> = {
  // Its users get nothing: the environment must not look well, however many other services do.
  'no-healthy-instance': { critical: 95, warning: 60 },
  'no-traffic': { critical: 95, warning: 60 },
  'not-listening': { critical: 95, warning: 60 },
  refused: { critical: 95, warning: 20 },
  errors: { critical: 90, warning: 25 },
  abandoned: { critical: 90, warning: 25 },
  trouble: { critical: 50, warning: 20 },
  latency: { critical: 40, warning: 15 },
  'instances-down': { critical: 40, warning: 15 },
  restarts: { critical: 40, warning: 10 },
  'release-changed': { critical: 20, warning: 5 },
  'not-kept': { critical: 20, warning: 5 },
  logs: { critical: 20, warning: 5 },
  'automation-stopped': { critical: 20, warning: 5 },
}

/**
 * Health of a service, 0 to 100: `100 × Π (1 − p/100)` over its concerns, as of a host. Null for a service that was
 * never deployed, which has no health to speak of.
 */
export function serviceHealth(
  name: string,
  concerns: readonly Concern[],
  isDeployed: boolean,
): Health | null {
  if (!isDeployed) return null
  let left = 100
  const reasons = concerns.map(({ kind, severity, text, sinceMs }) => {
    const before = Math.round(left)
    left *= 1 - penalties[kind][severity] / 100
    const points = before - Math.round(left)
    return { severity, hostId: '', service: name, text: `${name}: ${text}`, points, sinceMs, series: '' }
  })
  return { score: Math.round(left), severity: concerns[0]?.severity ?? 'ok', reasons }
}
