import { actorNamed } from '../../../../contract/index.ts'
import type { Declaration, DeclarationChange, DeclarationStore } from '../../../../engine/services/index.ts'
import type { Access, Participant, Writing } from '../access.ts'

export const declarationStore = ({ query, run }: Access): DeclarationStore => ({
  all: () =>
    run(async () => {
      const rows = await query.selectFrom('declarations').selectAll().orderBy('service').execute()
      return rows.map((row) => ({
        service: row.service,
        written: JSON.parse(row.written) as Declaration['written'],
        by:
          row.declared_by_kind === null
            ? actorNamed(row.declared_by)
            : { kind: row.declared_by_kind, name: row.declared_by },
        atMs: row.at_ms,
        revision: row.revision,
        isLeaving: row.is_leaving === 1,
      }))
    }),
})

export const declarationParticipant: Participant<DeclarationChange> = {
  kinds: { putDeclaration: true, dropDeclaration: true },
  async apply(transaction, changes) {
    for (const change of changes)
      switch (change.kind) {
        case 'putDeclaration':
          await putDeclaration(transaction, change.declaration)
          break
        case 'dropDeclaration':
          await transaction.deleteFrom('declarations').where('service', '=', change.service).execute()
      }
  },
}

async function putDeclaration(transaction: Writing, declaration: Declaration): Promise<void> {
  const { service, written, by, atMs, revision, isLeaving } = declaration
  const changes = {
    written: JSON.stringify(written),
    declared_by: by.name,
    declared_by_kind: by.kind,
    at_ms: Math.round(atMs),
    revision,
    is_leaving: isLeaving ? 1 : 0,
  }
  await transaction
    .insertInto('declarations')
    .values({ service, ...changes })
    .onConflict((conflict) => conflict.column('service').doUpdateSet(changes))
    .execute()
}
