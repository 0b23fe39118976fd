import type { Kysely } from 'kysely'
import type { Change, Changes } from '../../../engine/stores.ts'
import type { Participant, Writing } from './access.ts'
import { auditParticipant } from './aggregates/audit.ts'
import { declarationParticipant } from './aggregates/declarations.ts'
import { deploymentParticipant } from './aggregates/deployments.ts'
import { evidenceParticipant } from './aggregates/evidence.ts'
import { journalParticipant } from './aggregates/journal.ts'
import { releaseParticipant } from './aggregates/releases.ts'
import { serviceParticipant } from './aggregates/services.ts'
import { trafficParticipant } from './aggregates/traffic.ts'
import type { AuditSeal } from './audit-seal.ts'
import type { Dialect } from './dialects/dialect.ts'
import type { Lease } from './lease.ts'
import type { Tables } from './tables.ts'

export type Participants = { readonly [Aggregate in keyof Changes]: Participant<Changes[Aggregate]> }

/** One for each aggregate, in the order in which they store. The audit log is last: its end follows from all the rest. */
export const participantsOf = (seal: AuditSeal | null, dialect: Dialect): Participants => ({
  journal: journalParticipant,
  services: serviceParticipant,
  declarations: declarationParticipant,
  traffic: trafficParticipant,
  releases: releaseParticipant,
  deployments: deploymentParticipant(dialect),
  evidence: evidenceParticipant,
  audit: auditParticipant(seal),
})

/**
 * Stores `changes` in one transaction of `query`, in which `lease` must still hold. Throws what a participant or the driver throws; then nothing was stored.
 */
export async function commitAll(
  query: Kysely<Tables>,
  lease: Lease,
  participants: Participants,
  changes: readonly Change[],
): Promise<void> {
  const onDisk = await query.transaction().execute(async (transaction) => {
    await lease.check(transaction)
    return applyAll(transaction, participants, changes)
  })
  for (const tell of onDisk) tell()
}

async function applyAll(
  transaction: Writing,
  participants: Participants,
  changes: readonly Change[],
): Promise<(() => void)[]> {
  const onDisk: (() => void)[] = []
  for (const participant of Object.values(participants) as Pick<Participant<Change>, 'kinds' | 'apply'>[]) {
    const own = changes.filter(({ kind }) => kind in participant.kinds)
    if (own.length === 0) continue
    const tell = await participant.apply(transaction, own)
    if (tell) onDisk.push(tell)
  }
  return onDisk
}
