import { readFileSync, rmSync } from 'node:fs'
import * as z from 'zod'
import { writePrivateFile } from '../../../../system/index.ts'

const noteSchema = z.object({ host: z.string().max(255), pid: z.number().int(), sinceMs: z.number() })

/** Who holds the lock of a database file, for whoever finds it locked and so cannot read the lease in it. */
export type HolderNote = z.infer<typeof noteSchema>

const pathOf = (file: string) => `${file}.holder`

/** Without the note a message is poorer, and nothing else: a disk that is full keeps no engine from its start. */
export function writeHolderNote(file: string, note: HolderNote): void {
  try {
    writePrivateFile(pathOf(file), JSON.stringify(note))
  } catch {
    dropHolderNote(file)
  }
}

export function dropHolderNote(file: string): void {
  try {
    rmSync(pathOf(file), { force: true })
  } catch {
    // The next engine writes its own.
  }
}

/** Null where nobody left one that can be read. */
export function readHolderNote(file: string): HolderNote | null {
  try {
    return noteSchema.parse(JSON.parse(readFileSync(pathOf(file), 'utf8')))
  } catch {
    return null
  }
}
