import type { Kysely } from 'kysely'
import type { VouchStart } from '../../../engine/audit/index.ts'
import type { Tables } from './tables.ts'

/**
 * In the place of a fingerprint: a key that an earlier version used; that no key had been made yet; and that the database
 * was lost, or its record of keys, while the key stayed.
 */
export const unknownKey = 'unknown'
const lostLog = 'lost'
export const unsealedLog = 'unsealed'

/** A key that sealed the audit log, from one entry on. */
export interface KnownKey {
  fromSeq: number
  fingerprint: string
}

export interface PresentKey {
  fingerprint: string
  /** It was made at this start, as there was none. */
  isNew: boolean
  /** It made the seal that the log ends with. */
  isOfSeal: boolean
}

/**
 * What the record of keys says from this start on: `known` is on record, and `nextSeq` is the number of the next entry. A
 * database that was in use has a record; where it has none, someone took it away.
 */
export function recordedKeys(
  known: readonly KnownKey[],
  present: PresentKey,
  { wasUsed, nextSeq }: { wasUsed: boolean; nextSeq: number },
): readonly KnownKey[] {
  const { fingerprint, isNew, isOfSeal } = present
  const unrecorded = { fromSeq: 0, fingerprint: isNew ? unknownKey : lostLog }
  const earlier = known.length === 0 && wasUsed ? [unrecorded] : known
  const last = earlier.at(-1)
  if (last?.fingerprint === fingerprint) return known
  if (last?.fingerprint === unknownKey && known.length > 0 && !isNew && isOfSeal)
    return [...known.slice(0, -1), { ...last, fingerprint }]
  return [...earlier, { fromSeq: nextSeq, fingerprint }]
}

/** From where on the keys on record vouch without a break, when something came before that; else null. */
export function vouchStartOf(known: readonly KnownKey[]): VouchStart | null {
  const at = known.findIndex((_, i) => i > 0 && known[i - 1]?.fingerprint !== unsealedLog)
  const [before, start] = [known[at - 1], known[at]]
  if (!before || !start) return null
  return { seq: start.fromSeq, cause: before.fingerprint === lostLog ? 'log lost' : 'key replaced' }
}

export async function readKeys(database: Kysely<Tables>): Promise<KnownKey[]> {
  const rows = await database.selectFrom('audit_keys').selectAll().orderBy('id').execute()
  return rows.map(({ from_seq: fromSeq, fingerprint }) => ({ fromSeq, fingerprint }))
}

export const writeKeys = (database: Kysely<Tables>, keys: readonly KnownKey[]): Promise<void> =>
  database.transaction().execute(async (transaction) => {
    await transaction.deleteFrom('audit_keys').execute()
    for (const [i, { fromSeq, fingerprint }] of keys.entries())
      await transaction
        .insertInto('audit_keys')
        .values({ id: i + 1, from_seq: fromSeq, fingerprint })
        .execute()
  })
