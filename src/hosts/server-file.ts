import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { writePrivateFile } from '../adapters/system/index.ts'
import { isRunning } from './running.ts'

/** How programs of this user reach the engine that serves a data directory. */
export const serverAccessSchema = z.object({
  /** Origin without a path, e.g. `http://127.0.0.1:7780`. */
  url: z.url(),
  token: z.string().min(1),
  pid: z.number().int().positive(),
})
export type ServerAccess = z.infer<typeof serverAccessSchema>

const fileOf = (dataDirectory: string): string => join(dataDirectory, 'server.json')

/**
 * Says in the data directory how to reach this server, for this user only, until it is disposed. Throws the system's
 * error when the directory cannot be written.
 */
export function announceServer(dataDirectory: string, access: ServerAccess): AsyncDisposable {
  const path = fileOf(dataDirectory)
  writePrivateFile(path, JSON.stringify(access))
  return {
    [Symbol.asyncDispose]: async () => {
      const present = await findServer(dataDirectory)
      if (present?.token === access.token) await rm(path, { force: true })
    },
  }
}

/** What a running server of the data directory said of itself; null when none runs. */
export async function findServer(dataDirectory: string): Promise<ServerAccess | null> {
  const text = await readFile(fileOf(dataDirectory), 'utf8').catch(() => null)
  if (text === null) return null
  let written: unknown
  try {
    written = JSON.parse(text)
  } catch {
    return null
  }
  const { success, data } = serverAccessSchema.safeParse(written)
  // A server that was killed left its file: nobody else who took its port is to be given the token.
  return success && isRunning(data.pid) ? data : null
}
