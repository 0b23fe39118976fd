import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { writePrivateFile } from '../../adapters/system/index.ts'

/** What a running edge writes into its directory, so that a client with other variables finds its socket. */
const pointerSchema = z.object({
  pid: z.number().int().positive(),
  /** When the process started, as `identityOf` gives it: tells it from a later one with the same pid. */
  identity: z.string(),
  socketPath: z.string().min(1).max(4096),
  /** The process that starts it again when it crashes, and becomes that next edge; null when it has none. */
  guard: z.object({ pid: z.number().int().positive(), identity: z.string() }).nullable().default(null),
})
export type EdgePointer = z.infer<typeof pointerSchema>

const pointerPath = (directory: string): string => join(directory, 'edge.json')

/** Null when there is none, or none that can be read. */
export function readPointer(directory: string): EdgePointer | null {
  try {
    return pointerSchema.parse(JSON.parse(readFileSync(pointerPath(directory), 'utf8')))
  } catch {
    return null
  }
}

/** Throws when the disk does not take it; the earlier pointer then stays. Whole at once: two writers cannot meet in it. */
export function writePointer(directory: string, pointer: EdgePointer): void {
  writePrivateFile(pointerPath(directory), JSON.stringify(pointer))
}

/**
 * Whether the pointer has to be written again for this process, which is the edge: it is missing or damaged, or names
 * another process. One that cannot be read now, as without a free descriptor, may be well.
 */
export function isLost(directory: string, { pid, identity }: Pick<EdgePointer, 'pid' | 'identity'>): boolean {
  try {
    const pointer = pointerSchema.safeParse(JSON.parse(readFileSync(pointerPath(directory), 'utf8'))).data
    return pointer?.pid !== pid || pointer.identity !== identity
  } catch (failure) {
    return failure instanceof SyntaxError || (failure as NodeJS.ErrnoException).code === 'ENOENT'
  }
}

/** Removes the pointer if it names this process, which holds the lock of the directory: nobody else writes it then. */
export function removePointer(directory: string, process: Pick<EdgePointer, 'pid' | 'identity'>): void {
  if (isLost(directory, process)) return
  try {
    rmSync(pointerPath(directory), { force: true })
  } catch {
    // On a read-only disk it stays, and names a process that has gone.
  }
}
