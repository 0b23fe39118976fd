import type { Bin } from '../../../../contract/index.ts'
import type { EvidenceChange, EvidenceStore } from '../../../../engine/canary/index.ts'
import type { Access, Participant, Writing } from '../access.ts'

export const evidenceStore = ({ query, run }: Access): EvidenceStore => ({
  binsOf: (deploymentId) =>
    run(async () => {
      const rows = await query
        .selectFrom('evidence_bins')
        .select('body')
        .where('deployment_id', '=', deploymentId)
        .orderBy('at_ms')
        .orderBy('release_id')
        .execute()
      return rows.map(({ body }) => JSON.parse(body) as Bin)
    }),
})

export const evidenceParticipant: Participant<EvidenceChange> = {
  kinds: { addEvidence: true },
  async apply(transaction, changes) {
    for (const evidence of changes) await addEvidence(transaction, evidence)
  },
}

async function addEvidence(transaction: Writing, evidence: EvidenceChange): Promise<void> {
  const { deploymentId, bins, memory, cursor } = evidence
  for (const bin of bins) {
    await transaction
      .insertInto('evidence_bins')
      .values({
        deployment_id: deploymentId,
        at_ms: Math.round(bin.atMs),
        release_id: bin.releaseId,
        body: JSON.stringify(bin),
      })
      // A bin that is read again after a crash is the same bin, at most fuller.
      .onConflict((conflict) =>
        conflict.columns(['deployment_id', 'at_ms', 'release_id']).doUpdateSet({ body: JSON.stringify(bin) }),
      )
      .execute()
  }
  const state = { memory: JSON.stringify(memory), cursor }
  await transaction
    .insertInto('judge_states')
    .values({ deployment_id: deploymentId, ...state })
    .onConflict((conflict) => conflict.column('deployment_id').doUpdateSet(state))
    .execute()
}
