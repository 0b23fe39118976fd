import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import type { EdgeLog } from '../../edge/index.ts'
import { fail, messageOf, ok, type Result } from '../../base/index.ts'
import { actorNamed, actorSchema, errorCodes } from '../../contract/index.ts'

/** An order to the edge itself, which runs without an engine: it is kept here until an engine takes it. */
const noteSchema = z.object({
  /** The same however often it is read. */
  id: z.string().regex(/^[0-9a-f]{32}$/),
  atMs: z.number().int(),
  /** One of an earlier version has a name only. */
  actor: actorSchema.or(z.string().max(200).transform(actorNamed)),
  order: z.enum(['platform.stop', 'platform.upgrade']),
  /** Why it was not carried out; left out where it was. */
  failure: z.object({ code: z.enum(errorCodes), text: z.string().max(500) }).optional(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
})
export type OrderNote = z.infer<typeof noteSchema>

const suffix = '.json'
/** Far more than a note has, bytes. */
const mostBytes = 10_000

const notesDirectory = (directory: string): string => join(directory, 'orders')

/** Keeps a note in the directory of an edge: whole or not at all, one file each. A disk that takes none is logged. */
export function keepNote(directory: string, note: OrderNote, log: EdgeLog): void {
  const place = notesDirectory(directory)
  const file = join(place, `${String(note.atMs).padStart(15, '0')}-${note.id}`)
  try {
    mkdirSync(place, { recursive: true, mode: 0o700 })
    writeFileSync(`${file}.new`, JSON.stringify(note), { mode: 0o600, flush: true })
    renameSync(`${file}.new`, `${file}${suffix}`)
  } catch (failure) {
    log.error('an order to the edge cannot be stored for the audit log', { ...note, why: messageOf(failure) })
  }
}

/**
 * Gives every kept note to `record`, oldest first, and forgets it when that resolves to true. One that is read again, as
 * the process died between, has the same id. What is no note is put aside; what cannot be read now stays for the next
 * call.
 */
export async function takeNotes(
  directory: string,
  record: (note: OrderNote) => Promise<boolean>,
  log: EdgeLog,
): Promise<void> {
  const place = notesDirectory(directory)
  const tell = (failure: unknown) =>
    log.warn('stored orders to the edge cannot be read yet', { place, failure: messageOf(failure) })
  const names = attempt(() => namesIn(place))
  if (!names.ok) return tell(names.error)
  for (const name of names.value) {
    const file = join(place, name)
    const text = attempt(() => (statSync(file).size > mostBytes ? '' : readFileSync(file, 'utf8')))
    if (!text.ok) {
      tell(text.error)
      continue
    }
    const note = noteIn(text.value)
    if (note === null) {
      log.error('a stored order to the edge is damaged and was set aside', { file })
      renameSync(file, `${file}.unreadable`)
    } else if (await record(note)) rmSync(file, { force: true })
    else return
  }
}

function namesIn(place: string): string[] {
  try {
    return readdirSync(place)
      .filter((name) => name.endsWith(suffix))
      .sort()
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw failure
  }
}

function attempt<T>(act: () => T): Result<T, unknown> {
  try {
    return ok(act())
  } catch (failure) {
    return fail(failure)
  }
}

function noteIn(text: string): OrderNote | null {
  try {
    return noteSchema.parse(JSON.parse(text))
  } catch {
    return null
  }
}
