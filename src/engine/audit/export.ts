import { engineActor, escapedText, type AuditEntry } from '../../contract/index.ts'
import { canonicalJson, hashedActor, type Anchor } from './chain.ts'

/**
 * One entry a line, as JSON; ends with a line break. Can be verified again: characters that steer a terminal are escaped,
 * which a reader of JSON takes back.
 */
export const auditAsJsonLines = (entries: readonly AuditEntry[]): string =>
  entries
    .map((entry) => `${escapedText(canonicalJson({ ...entry, actor: hashedActor(entry.actor) }))}\n`)
    .join('')

/** The line after the entries. */
export const anchorAsJsonLine = ({ seq, hash, seal }: Anchor): string =>
  seq === 0 ? '' : `${canonicalJson({ kind: 'anchor', seq, hash, seal })}\n`

const columns = [
  'seq',
  'time',
  'actor',
  'actorKind',
  'action',
  'target',
  'why',
  'details',
  'previousHash',
  'hash',
] as const

/**
 * RFC 4180, with a header; times are ISO 8601 in UTC. Cells that a spreadsheet would run as a formula are quoted off, and
 * characters that steer a terminal are shown as JSON escapes.
 */
export function auditAsCsv(entries: readonly AuditEntry[]): string {
  const rows = entries.map((entry) => [
    String(entry.seq),
    new Date(entry.atMs).toISOString(),
    entry.actor.name,
    entry.actor.kind,
    entry.action,
    entry.target,
    entry.why,
    canonicalJson(entry.details),
    entry.previousHash,
    entry.hash,
  ])
  return [columns, ...rows].map(line).join('')
}

/** The row after the entries, in their columns. */
export const anchorAsCsv = ({ seq, hash, seal }: Anchor, atMs: number): string =>
  seq === 0
    ? ''
    : line([
        String(seq),
        new Date(atMs).toISOString(),
        engineActor.name,
        engineActor.kind,
        'audit.anchor',
        'audit',
        'The log ended here when it was exported.',
        canonicalJson({ seal }),
        '',
        hash,
      ])

const line = (row: readonly string[]): string => `${row.map(cell).join(',')}\r\n`

function cell(text: string): string {
  // Spreadsheets skip spaces before a formula. Line breaks are escaped, too: a bare one ends a row for many readers, and
  // returns a terminal to the start of its line.
  const isFormula = /^ *[=+\-@|%\t\r\n]/.test(text)
  const shown = escapedText(text, /\t/)
  const safe = isFormula ? `'${shown}` : shown
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
