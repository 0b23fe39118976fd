import { loopbackHosts, type LoopbackHost } from './connections.ts'
import type { ProbeOutcome } from './health-probe.ts'

/** What an instance answered, or another process in its place. */
export type InstanceOutcome = ProbeOutcome | { kind: 'foreign'; why: string }

/** Where an instance answered, or was last known to be, and what came of it. */
export interface Found {
  host: LoopbackHost
  outcome: InstanceOutcome
}

/**
 * Asks an instance at the loopback address that it had. It may listen on the other one only: that one counts when the
 * instance is well there, and never when it is another process that answers.
 */
export async function askInstance(
  known: LoopbackHost,
  ask: (host: LoopbackHost) => Promise<InstanceOutcome>,
): Promise<Found> {
  const first = await ask(known)
  if (first.kind !== 'refused' && first.kind !== 'foreign') return { host: known, outcome: first }
  const other = loopbackHosts.find((host) => host !== known) ?? known
  const there = await ask(other)
  if (there.kind === 'well') return { host: other, outcome: there }
  // That somebody else has the port says more than that the instance does not listen on it.
  return { host: known, outcome: there.kind === 'foreign' ? there : first }
}
