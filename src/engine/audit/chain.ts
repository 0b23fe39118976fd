import { createHash } from 'node:crypto'
import { wellFormedData } from '../../base/index.ts'
import type { AuditEntry } from '../../contract/index.ts'

/** An audit entry before it has its place in the chain. `details` is plain data as JSON holds it. */
export type AuditDraft = Omit<AuditEntry, 'seq' | 'previousHash' | 'hash'>

/** The place in the chain that the next entry follows: its number and hash. */
export interface ChainEnd {
  seq: number
  hash: string
}

/** Where a log was known to end, as it is noted beside it, and what a store with a key says of that. */
export interface NotedEnd extends ChainEnd {
  /** `none` where the log is not sealed yet. */
  seal?: 'valid' | 'broken' | 'none'
  /** From where on the key vouches, when something came before that; null where it vouches for all. */
  vouchesFrom?: VouchStart | null
  /** As noted outside the database; null when that is missing. */
  anchor?: ChainEnd | null
  /** Seals an end with the key of this store. */
  sealOf?: (end: ChainEnd) => string
}

/** Why nothing vouches for what stood before the entry `seq`: its key was replaced, or the log itself was lost. */
export interface VouchStart {
  seq: number
  cause: 'key replaced' | 'log lost'
}

/** An end as an export or a log file names it, with its seal where it has one. */
export interface Anchor extends ChainEnd {
  seal?: string | undefined
}

/** What the first entry follows. */
export const chainStart: ChainEnd = { seq: 0, hash: '0'.repeat(64) }

/** Where a chain is broken. */
export interface ChainBreak {
  /** Of the first entry that cannot be trusted. */
  seq: number
  text: string
}

/** `draft` as the entry after `end`. */
export function link(end: ChainEnd, draft: AuditDraft): AuditEntry {
  // Through JSON once and well-formed, so that what is hashed is what a store gives back.
  const { atMs, actor, action, target, why, details } = wellFormedData(
    JSON.parse(JSON.stringify(draft)) as AuditDraft,
  )
  const entry = { seq: end.seq + 1, atMs, actor, action, target, why, details, previousHash: end.hash }
  return { ...entry, hash: hashOf(entry) }
}

/** The first break in entries that follow `end`, oldest first; null when the chain is whole. */
export function findBreak(entries: Iterable<AuditEntry>, end: ChainEnd = chainStart): ChainBreak | null {
  let last = end
  for (const entry of entries) {
    const text = breakIn(entry, last)
    if (text !== null) return { seq: entry.seq, text }
    last = entry
  }
  return null
}

/**
 * The break between where a log was known to end and what stands there now: `found` is the entry with that number, or the
 * last one there is. Null when nothing was taken off the end.
 */
export function findEndBreak(known: ChainEnd, found: ChainEnd): ChainBreak | null {
  if (found.seq < known.seq)
    return {
      seq: found.seq + 1,
      text: `entry ${found.seq + 1} is missing: the log ended with entry ${known.seq}`,
    }
  if (found.seq === known.seq && found.hash !== known.hash)
    return { seq: known.seq, text: `entry ${known.seq} was replaced after it was written` }
  return null
}

function breakIn(entry: AuditEntry, last: ChainEnd): string | null {
  if (entry.seq !== last.seq + 1)
    return `entry ${entry.seq} follows entry ${last.seq}: entries between them are missing, or out of order`
  if (entry.previousHash !== last.hash)
    return `entry ${entry.seq} does not follow from entry ${last.seq}: one of them was changed or replaced`
  if (entry.hash !== hashOf(entry)) return `entry ${entry.seq} was changed after it was written`
  return null
}

/**
 * SHA-256, hexadecimal, over the entry without its hash as canonical JSON; that holds the hash before it.
 */
function hashOf({
  seq,
  atMs,
  actor,
  action,
  target,
  why,
  details,
  previousHash,
}: Omit<AuditEntry, 'hash'>): string {
  const text = canonicalJson({
    seq,
    atMs,
    actor: hashedActor(actor),
    action,
    target,
    why,
    details,
    previousHash,
  })
  return createHash('sha256').update(text, 'utf8').digest('hex')
}

/** An actor without a kind was a name alone, and is hashed as one. */
export const hashedActor = (actor: AuditEntry['actor']): AuditEntry['actor'] | string =>
  actor.kind === 'unrecorded' ? actor.name : actor

/** JSON with the keys of every object in the order of their code units, without spaces: one text for one value. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const fields = Object.entries(value)
    .filter(([, held]) => held !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, held]) => `${JSON.stringify(key)}:${canonicalJson(held)}`)
  return `{${fields.join(',')}}`
}
