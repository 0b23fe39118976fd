import { readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { writePrivateFile } from '../adapters/system/index.ts'
import { identityOf } from '../edge/index.ts'
import { isListenerOf } from './listener-owner.ts'

/** How programs of this user reach the engine that serves a data directory. */
const serverAccessSchema = z.object({
  /** Origin without a path, e.g. `http://127.0.0.1:7780`. */
  url: z.url(),
  token: z.string().min(1),
  pid: z.number().int().positive(),
  /** When the process started, as `identityOf` gives it: tells it from a later one with the same pid. */
  identity: z.string().min(1),
})
export type ServerAccess = z.infer<typeof serverAccessSchema>

const fileOf = (dataDirectory: string): string => join(dataDirectory, 'server.json')

/**
 * Says in the data directory how to reach the server of this process, for this user only, until it is disposed. Rejects
 * with the system's error when the directory cannot be written.
 */
export async function announceServer(
  dataDirectory: string,
  access: Pick<ServerAccess, 'url' | 'token'>,
): Promise<AsyncDisposable> {
  const path = fileOf(dataDirectory)
  const { pid } = process
  writePrivateFile(path, JSON.stringify({ ...access, pid, identity: await identityOf(pid) }))
  return {
    [Symbol.asyncDispose]: async () => {
      const present = await written(dataDirectory)
      if (present?.token === access.token) await rm(path, { force: true })
    },
  }
}

/** What the server of the data directory said of itself, while its process runs; else null. */
export async function runningServer(dataDirectory: string): Promise<ServerAccess | null> {
  const access = await written(dataDirectory)
  return access !== null && (await identityOf(access.pid)) === access.identity ? access : null
}

/**
 * The running server of the data directory, if what listens at its address belongs to who wrote the file; else null. A
 * server that was killed leaves its file: another user who took its port must not get the token. To be asked each time
 * before the token is sent.
 */
export async function findServer(dataDirectory: string): Promise<ServerAccess | null> {
  try {
    const access = await runningServer(dataDirectory)
    if (access === null) return null
    const { uid } = await stat(fileOf(dataDirectory))
    return (await isListenerOf(access.url, uid)) === false ? null : access
  } catch {
    // A system that cannot be asked, as without a free descriptor, vouches for nobody.
    return null
  }
}

async function written(dataDirectory: string): Promise<ServerAccess | null> {
  const text = await readFile(fileOf(dataDirectory), 'utf8').catch(() => null)
  if (text === null) return null
  try {
    return serverAccessSchema.parse(JSON.parse(text))
  } catch {
    return null
  }
}
