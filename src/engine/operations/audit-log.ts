import type { AuditEntry } from '../../contract/index.ts'
import {
  auditAsCsv,
  auditAsJsonLines,
  chainStart,
  findBreak,
  findEndBreak,
  type ChainEnd,
} from '../audit/index.ts'
import { ok, type Result } from '../core/index.ts'
import type { DeploymentStore } from '../deployments/index.ts'

type AuditStore = Pick<DeploymentStore, 'auditFrom' | 'auditEnd'>

export interface AuditVerdict {
  isWhole: boolean
  /** That can be trusted. */
  entryCount: number
  firstBrokenSeq: number | null
  text: string
}

const pageSize = 1000

/** Whether each entry follows from the one before it, up to the one that was written last. Fails as the store does. */
export async function verifyAudit(store: AuditStore): Promise<Result<AuditVerdict>> {
  const known = await store.auditEnd()
  if (!known.ok) return known
  let last: ChainEnd = chainStart
  let atKnown: ChainEnd | null = null
  for (;;) {
    const page = await store.auditFrom(last.seq + 1, pageSize)
    if (!page.ok) return page
    const broken = findBreak(page.value, last)
    if (broken) return ok(brokenAt(broken))
    atKnown ??= page.value.find(({ seq }) => seq === known.value.seq) ?? null
    const newest = page.value.at(-1)
    if (!newest) break
    last = newest
  }
  const broken = findEndBreak(known.value, atKnown ?? last)
  if (broken) return ok(brokenAt(broken))
  const text = `${last.seq} entries, each follows from the one before it`
  return ok({ isWhole: true, entryCount: last.seq, firstBrokenSeq: null, text })
}

const brokenAt = ({ seq, text }: { seq: number; text: string }): AuditVerdict => ({
  isWhole: false,
  entryCount: seq - 1,
  firstBrokenSeq: seq,
  text,
})

/** All entries from `fromMs` on and before `toMs`, as a file. Fails as the store does. */
export async function exportAudit(
  store: AuditStore,
  format: 'jsonl' | 'csv',
  fromMs = -Infinity,
  toMs = Infinity,
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
  const text = format === 'csv' ? auditAsCsv(entries) : auditAsJsonLines(entries)
  return ok({ name: `pilothouse-audit.${format}`, text })
}
