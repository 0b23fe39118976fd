import { ok, type Result } from '../../base/index.ts'
import type { AuditEntry } from '../../contract/index.ts'
import { chainStart, findBreak, findEndBreak, type Anchor, type ChainEnd, type VouchStart } from './chain.ts'
import { anchorAsCsv, anchorAsJsonLine, auditAsCsv, auditAsJsonLines } from './export.ts'
import type { AuditStore } from './ports.ts'

export interface AuditVerdict {
  isWhole: boolean
  /** That can be trusted. */
  entryCount: number
  firstBrokenSeq: number | null
  text: string
}

const pageSize = 1000

/**
 * Whether each entry follows from the one before it, up to the one that was written last; whether that one has the seal of
 * the key outside the database and the log still reaches where it was known to end; and whether the entry `against`, known
 * from an export or a shipped log, is still the same. Fails as the store does.
 */
export async function verifyAudit(
  store: Pick<AuditStore, 'auditFrom' | 'auditEnd'>,
  against: Anchor | null = null,
): Promise<Result<AuditVerdict>> {
  const known = await store.auditEnd()
  if (!known.ok) return known
  const { anchor, seal = 'none', sealOf, vouchesFrom = null } = known.value
  const ends = [known.value, anchor ?? null, against].filter((end) => end !== null)
  const found = new Map<number, ChainEnd>()
  let last: ChainEnd = chainStart
  for (;;) {
    const page = await store.auditFrom(last.seq + 1, pageSize)
    if (!page.ok) return page
    const broken = findBreak(page.value, last)
    if (broken) return ok(brokenAt(broken, vouchesFrom))
    for (const entry of page.value) if (ends.some(({ seq }) => seq === entry.seq)) found.set(entry.seq, entry)
    const newest = page.value.at(-1)
    if (!newest) break
    last = newest
  }
  for (const end of ends) {
    const broken = findEndBreak(end, found.get(end.seq) ?? last)
    if (broken) return ok(brokenAt(broken, vouchesFrom))
  }
  if (against?.seal !== undefined && sealOf?.(against) !== against.seal)
    return ok({
      ...brokenAt(
        {
          seq: against.seq,
          text: `The seal of entry ${against.seq} in the file was made with another key: the key of this log was replaced, or the file comes from another installation`,
        },
        vouchesFrom,
      ),
      entryCount: 0,
    })
  if (vouchesFrom !== null)
    return ok({
      ...brokenAt({
        seq: vouchesFrom.seq,
        text: `${startText(vouchesFrom)}: entries before it cannot be verified. Compare that with an export: pilothouse audit verify --against FILE`,
      }),
      entryCount: 0,
    })
  if (anchor === null)
    return ok({
      ...brokenAt({
        seq: Math.max(1, last.seq),
        text: 'audit.anchor is missing, so nothing outside the database proves where the log ended.',
      }),
      entryCount: 0,
    })
  if (seal === 'broken')
    return ok({
      ...brokenAt({
        seq: Math.max(1, last.seq),
        text: `The end of the log (entry ${last.seq}) has no valid seal: the log was edited by someone without its key, or the key or the anchor was replaced.`,
      }),
      entryCount: 0,
    })
  const text =
    `${last.seq} entries, chain intact` +
    (seal === 'valid' ? '; the last one is sealed' : '') +
    (against === null ? '' : `; entry ${against.seq} is the same as in the file`)
  return ok({ isWhole: true, entryCount: last.seq, firstBrokenSeq: null, text })
}

function startText({ seq, cause }: VouchStart): string {
  switch (cause) {
    case 'key replaced':
      return `The key of the audit log was replaced at entry ${seq}`
    case 'log lost':
      return `The log starts over at entry ${seq}, because the database with the earlier entries was lost`
  }
}

function brokenAt(
  { seq, text }: { seq: number; text: string },
  vouchesFrom: VouchStart | null = null,
): AuditVerdict {
  const also = vouchesFrom === null ? '' : `. ${startText(vouchesFrom)}.`
  return { isWhole: false, entryCount: seq - 1, firstBrokenSeq: seq, text: text + also }
}

/**
 * All entries from `fromMs` on and before `toMs` as a file, followed by an anchor: the end of the whole log with its seal,
 * for `verifyAudit`. Fails as the store does.
 */
export async function exportAudit(
  store: Pick<AuditStore, 'auditFrom' | 'auditEnd'>,
  format: 'jsonl' | 'csv',
  fromMs = -Infinity,
  toMs = Infinity,
  nowMs = 0,
): Promise<Result<{ name: string; text: string }>> {
  const entries: AuditEntry[] = []
  for (let from = 1; ;) {
    const page = await store.auditFrom(from, pageSize)
    if (!page.ok) return page
    const last = page.value.at(-1)
    if (!last) break
    entries.push(...page.value.filter(({ atMs }) => atMs >= fromMs && atMs < toMs))
    from = last.seq + 1
  }
  const end = await store.auditEnd()
  if (!end.ok) return end
  const { seq, hash, seal, sealOf } = end.value
  const anchor: Anchor = { seq, hash, ...(seal === 'valid' && sealOf ? { seal: sealOf({ seq, hash }) } : {}) }
  const text =
    format === 'csv'
      ? auditAsCsv(entries) + anchorAsCsv(anchor, nowMs)
      : auditAsJsonLines(entries) + anchorAsJsonLine(anchor)
  return ok({ name: `pilothouse-audit.${format}`, text })
}
