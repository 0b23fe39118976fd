import { engineActor } from '../../contract/index.ts'
import type { AuditDraft, NotedEnd } from './chain.ts'

/** What is wrong with the seal of the audit log at a start, as a sentence; null when nothing is. */
export function sealTroubleText(
  { anchor, seal, vouchesFrom = null }: NotedEnd,
  isKeyNew: boolean,
): string | null {
  const check = 'Run: pilothouse audit verify'
  if (vouchesFrom !== null && isKeyNew)
    return `audit.key was missing, although the audit log was sealed with it: a new key seals it from now on. ${check}`
  if (anchor === null)
    return `audit.anchor is missing, so the end of the audit log cannot be verified. ${check}`
  if (seal === 'broken') return `The end of the audit log has no valid seal. ${check}`
  return null
}

/**
 * The entry that a new key begins with: from here on the log has a seal; what was written before the key has none. Null for
 * an empty log that had no key before: it needs no such entry.
 */
export function newKeyEntry({ seq, anchor, vouchesFrom = null }: NotedEnd, atMs: number): AuditDraft | null {
  const isEmpty = seq === 0 && (anchor?.seq ?? 0) === 0
  if (isEmpty && vouchesFrom === null) return null
  return {
    atMs,
    actor: engineActor,
    action: 'audit.seal',
    target: 'audit',
    why: 'There was no key in the data directory. Entries before this one are chained, but not sealed by it.',
    details: {},
  }
}
