import { loopbackHosts, type LoopbackHost } from './connections.ts'
import type { ProbeOutcome } from './health-probe.ts'

/** What an instance answered, or that another process has its port. */
export type InstanceOutcome = ProbeOutcome | { kind: 'foreign'; why: string }

/** Where an instance answered, or was last known to be, and the outcome. */
export interface ProbeResult {
  host: LoopbackHost
  outcome: InstanceOutcome
}

/**
 * Checks an instance at the loopback address where it was last reached. If it listens only on the other one, that
 * answer counts when it is healthy, and never when another process gave it.
 */
export async function askInstance(
  known: LoopbackHost,
  ask: (host: LoopbackHost) => Promise<InstanceOutcome>,
): Promise<ProbeResult> {
  const first = await ask(known)
  if (first.kind !== 'refused' && first.kind !== 'foreign') return { host: known, outcome: first }
  const other = loopbackHosts.find((host) => host !== known) ?? known
  const there = await ask(other)
  if (there.kind === 'well') return { host: other, outcome: there }
  // Another owner of the port says more than an instance that does not listen.
  return { host: known, outcome: there.kind === 'foreign' ? there : first }
}
