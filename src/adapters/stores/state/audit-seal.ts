import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { messageOf, type Log, type Rng } from '../../../base/index.ts'
import { chainStart, type ChainEnd } from '../../../engine/audit/index.ts'
import { writePrivateFile } from '../../system/index.ts'

const keySchema = z.string().regex(/^[0-9a-f]{64}$/)
const anchorSchema = z.object({ seq: z.number().int().nonnegative(), hash: keySchema })

/** An anchor is also written to the log, with the first entry of a launch and then each time this many came. */
const loggedEvery = 100

/**
 * Seals the end of the audit log with a key that is not in the database, and keeps beside it where the log ended: who can
 * edit the database but not read the key can neither rewrite the log nor cut it off unnoticed. Whoever can read the key
 * file can do both; then exports and shipped logs, which hold anchors, are what tells.
 */
export interface AuditSeal {
  /** No key was there when it was opened, and nothing has been sealed since. */
  readonly isNew: boolean
  /** Tells the key from others, and nothing about it. */
  readonly fingerprint: string
  /** Where the log ended when that was last noted; null when someone took that away. */
  readonly anchor: ChainEnd | null
  of(end: ChainEnd): string
  /** The log ends here now, on disk. */
  note(end: ChainEnd): void
}

/** The seal of a data directory, to verify by; null where its key is gone. Throws the system's error. */
export function readAuditSeal(
  directory: string,
): Pick<AuditSeal, 'isNew' | 'fingerprint' | 'anchor' | 'of'> | null {
  const kept = keySchema.safeParse(textOf(join(directory, 'audit.key'))?.trim())
  if (!kept.success) return null
  const anchor = readAnchor(join(directory, 'audit.anchor'))
  return { isNew: false, fingerprint: fingerprintOf(kept.data), anchor, of: (end) => sealBy(kept.data, end) }
}

const sealBy = (key: string, { seq, hash }: ChainEnd): string =>
  createHmac('sha256', Buffer.from(key, 'hex')).update(`${seq} ${hash}`).digest('hex')

const fingerprintOf = (key: string): string =>
  createHmac('sha256', Buffer.from(key, 'hex')).update('key of the audit log').digest('hex')

/** The seal of a data directory; its key is made where there is none. Throws the system's error. */
export function openAuditSeal(directory: string, { rng, log }: { rng: Rng; log: Log }): AuditSeal {
  const anchorFile = join(directory, 'audit.anchor')
  const held = readKey(join(directory, 'audit.key'), rng)
  let { isNew } = held
  let anchor = readAnchor(anchorFile)
  if (isNew && anchor === null) {
    // From now on a missing anchor was taken away.
    anchor = chainStart
    writePrivateFile(anchorFile, JSON.stringify(anchor))
  }
  let sinceLogged = loggedEvery
  const of = (end: ChainEnd) => sealBy(held.key, end)
  return {
    get isNew() {
      return isNew
    },
    fingerprint: fingerprintOf(held.key),
    get anchor() {
      return anchor
    },
    of,
    note: ({ seq, hash }) => {
      sinceLogged += seq - (anchor?.seq ?? 0)
      isNew = false
      anchor = { seq, hash }
      try {
        writePrivateFile(anchorFile, JSON.stringify(anchor))
      } catch (failure) {
        log.warn('the anchor of the audit log cannot be written', { failure: messageOf(failure) })
      }
      if (sinceLogged < loggedEvery) return
      sinceLogged = 0
      log.info('audit anchor', { seq, hash, seal: of(anchor) })
    },
  }
}

function readKey(file: string, rng: Rng): { key: string; isNew: boolean } {
  const kept = keySchema.safeParse(textOf(file)?.trim())
  if (kept.success) return { key: kept.data, isNew: false }
  const key = rng.hex(32)
  writePrivateFile(file, `${key}\n`)
  return { key, isNew: true }
}

function readAnchor(file: string): ChainEnd | null {
  const text = textOf(file)
  if (text === null) return null
  try {
    return anchorSchema.parse(JSON.parse(text))
  } catch {
    return null
  }
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw failure
  }
}
