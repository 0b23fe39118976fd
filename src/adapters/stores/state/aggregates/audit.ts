import type { Kysely, Selectable } from 'kysely'
import type { AuditEntry } from '../../../../contract/index.ts'
import {
  chainStart,
  link,
  type AuditChange,
  type AuditDraft,
  type AuditStore,
  type ChainEnd,
} from '../../../../engine/audit/index.ts'
import type { Access, Participant, Writing } from '../access.ts'
import { readKeys, recordedKeys, vouchStartOf, writeKeys } from '../audit-keys.ts'
import type { AuditSeal } from '../audit-seal.ts'
import type { Tables } from '../tables.ts'

/** What a text is looked for in. */
const searchedColumns = ['actor', 'action', 'target', 'why', 'details'] as const

/** What of a seal a log is verified by. */
type SealToVerify = Pick<AuditSeal, 'isNew' | 'fingerprint' | 'anchor' | 'of'>

/** Without a seal the log is chained, not sealed. */
export const auditStore = ({ query, dialect, run }: Access, seal: SealToVerify | null): AuditStore => ({
  audit: (filter) =>
    run(async () => {
      const { actor, target, text, fromMs, toMs, limit, beforeSeq } = filter
      let found = query.selectFrom('audit').selectAll()
      if (actor !== undefined) found = found.where('actor', '=', actor)
      if (target !== undefined) found = found.where('target', '=', target)
      if (text !== undefined)
        found = found.where((eb) =>
          eb.or(searchedColumns.map((column) => dialect.contains(eb, column, text))),
        )
      if (fromMs !== undefined) found = found.where('at_ms', '>=', fromMs)
      if (toMs !== undefined) found = found.where('at_ms', '<', toMs)
      if (beforeSeq !== undefined) found = found.where('seq', '<', beforeSeq)
      return (await found.orderBy('seq', 'desc').limit(limit).execute()).map(auditEntry)
    }),

  auditFrom: (fromSeq, limit) =>
    run(async () => {
      const rows = await query
        .selectFrom('audit')
        .selectAll()
        .where('seq', '>=', fromSeq)
        .orderBy('seq')
        .limit(limit)
        .execute()
      return rows.map(auditEntry)
    }),
  auditEnd: () =>
    run(async () => {
      const noted = await notedEnd(query)
      if (!seal) return { seq: noted.seq, hash: noted.hash }
      return {
        seq: noted.seq,
        hash: noted.hash,
        anchor: seal.anchor,
        seal: seal.isNew ? ('none' as const) : sealState(noted, seal),
        vouchesFrom: vouchStartOf(await readKeys(query)),
        sealOf: (end: ChainEnd) => seal.of(end),
      }
    }),
})

/** Adds entries to the chain and seals its new end, which is noted outside the database once it is on disk. */
export const auditParticipant = (seal: AuditSeal | null): Participant<AuditChange> => ({
  kinds: { addAudit: true },
  async apply(transaction, changes) {
    const drafts = changes.map(({ entry }) => entry)
    const end = await addAudit(transaction, drafts, seal)
    return end && seal ? () => seal.note(end) : undefined
  },
})

/** Adds entries after the last one. Gives the new end when it was sealed. */
async function addAudit(
  transaction: Writing,
  drafts: readonly AuditDraft[],
  seal: AuditSeal | null,
): Promise<ChainEnd | null> {
  const last = await lastEntry(transaction)
  const noted = await notedEnd(transaction)
  // A log that was tampered with is never sealed again: what follows would vouch for it.
  const isTrusted = seal !== null && (await isAsNoted(transaction, noted, seal))
  // Where entries were taken off the end, a gap stays for whoever verifies.
  let end = [noted, seal?.anchor ?? chainStart].reduce<ChainEnd>(
    (latest, each) => (each.seq > latest.seq ? each : latest),
    last,
  )
  for (const draft of drafts) {
    const entry = link(end, { ...draft, atMs: Math.round(draft.atMs) })
    await transaction
      .insertInto('audit')
      .values({
        seq: entry.seq,
        at_ms: entry.atMs,
        actor: entry.actor.name,
        actor_kind: entry.actor.kind,
        action: entry.action,
        target: entry.target,
        why: entry.why,
        details: JSON.stringify(entry.details),
        previous_hash: entry.previousHash,
        hash: entry.hash,
      })
      .execute()
    end = entry
  }
  const row = { seq: end.seq, hash: end.hash, seal: isTrusted ? seal.of(end) : '' }
  await transaction
    .insertInto('audit_end')
    .values({ id: 1, ...row })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
    .execute()
  return isTrusted ? end : null
}

/** Whether the log goes on from where it was known to end: sealed by this key, with the entry of the anchor in it. */
async function isAsNoted(transaction: Writing, noted: SealedEnd, seal: AuditSeal): Promise<boolean> {
  const { anchor, isNew } = seal
  if (!isNew && sealState(noted, seal) !== 'valid') return false
  if (anchor === null) return false
  if (anchor.seq === 0) return true
  const found = await transaction
    .selectFrom('audit')
    .select('hash')
    .where('seq', '=', anchor.seq)
    .executeTakeFirst()
  return found?.hash === anchor.hash
}

/**
 * Puts the key of this start on record, with the entry from which it seals. `wasUsed` is that the data directory is not
 * new, whatever the database says.
 */
export async function recordKey(database: Kysely<Tables>, seal: AuditSeal, wasUsed: boolean): Promise<void> {
  const known = await readKeys(database)
  const launch = await database.selectFrom('launches').select('seq').limit(1).executeTakeFirst()
  const noted = await notedEnd(database)
  const ends = [await lastEntry(database), noted, seal.anchor ?? chainStart]
  const { fingerprint, isNew } = seal
  const present = { fingerprint, isNew, isOfSeal: noted.seal === seal.of(noted) }
  const nextSeq = Math.max(...ends.map(({ seq }) => seq)) + 1
  const keys = recordedKeys(known, present, { wasUsed: wasUsed || launch !== undefined, nextSeq })
  if (keys !== known) await writeKeys(database, keys)
}

/** Nothing needs a seal before the first entry. */
function sealState(noted: SealedEnd, seal: SealToVerify): 'valid' | 'broken' {
  const isUnused = noted.seq === 0 && seal.anchor?.seq === 0
  return seal.anchor !== null && (isUnused || noted.seal === seal.of(noted)) ? 'valid' : 'broken'
}

const lastEntry = async (database: Kysely<Tables>): Promise<ChainEnd> =>
  (await database
    .selectFrom('audit')
    .select(['seq', 'hash'])
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()) ?? chainStart

type SealedEnd = ChainEnd & { seal: string }

const notedEnd = async (database: Kysely<Tables>): Promise<SealedEnd> =>
  (await database.selectFrom('audit_end').select(['seq', 'hash', 'seal']).executeTakeFirst()) ?? {
    ...chainStart,
    seal: '',
  }

/** What someone has made unreadable shows as changed when it is verified, and keeps nobody from the rest. */
function detailsOf(text: string): AuditEntry['details'] {
  try {
    return JSON.parse(text) as AuditEntry['details']
  } catch {
    return { unreadable: text }
  }
}

const auditEntry = (row: Selectable<Tables['audit']>): AuditEntry => ({
  seq: row.seq,
  atMs: row.at_ms,
  // A command that reads without an engine may find a schema from before.
  actor: { kind: row.actor_kind ?? 'unrecorded', name: row.actor },
  action: row.action,
  target: row.target,
  why: row.why,
  details: detailsOf(row.details),
  previousHash: row.previous_hash,
  hash: row.hash,
})
