import type { AuditEntry } from '../../contract/index.ts'
import { canonicalJson } from './chain.ts'

/** One entry a line, as JSON; ends with a line break. Can be verified again. */
export const auditAsJsonLines = (entries: readonly AuditEntry[]): string =>
  entries.map((entry) => `${canonicalJson(entry)}\n`).join('')

const columns = [
  'seq',
  'time',
  'actor',
  'action',
  'target',
  'why',
  'details',
  'previousHash',
  'hash',
] as const

/** RFC 4180, with a header; times are ISO 8601 in UTC. Cells that a spreadsheet would run as a formula are quoted off. */
export function auditAsCsv(entries: readonly AuditEntry[]): string {
  const rows = entries.map((entry) => [
    String(entry.seq),
    new Date(entry.atMs).toISOString(),
    entry.actor,
    entry.action,
    entry.target,
    entry.why,
    canonicalJson(entry.details),
    entry.previousHash,
    entry.hash,
  ])
  return [columns, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('')
}

function cell(text: string): string {
  const safe = /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
