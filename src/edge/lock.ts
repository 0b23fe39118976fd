import { open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { EdgeFailure } from './failure.ts'
import { identityOf } from './supervisor/process-identity.ts'

/**
 * Makes this process the only edge of a directory, by a file that names it. One that a killed edge left is taken
 * over. Throws CONFLICT while the other edge runs. Dispose to give it up.
 */
export async function lockDirectory(path: string): Promise<AsyncDisposable> {
  const own = await ownMark()
  for (let tries = 0; tries < 3; tries++) {
    try {
      const file = await open(path, 'wx', 0o600)
      await file.writeFile(own)
      await file.close()
      return lockOf(path, own)
    } catch (failure) {
      if ((failure as NodeJS.ErrnoException).code !== 'EEXIST') throw failure
    }
    const text = await readFile(path, 'utf8').catch(() => '')
    const [, pid, identity] = /^(\d+) (.*)$/.exec(text) ?? []
    if (pid !== undefined && (await identityOf(Number(pid))) === identity)
      throw new EdgeFailure('CONFLICT', `An edge runs already on this directory (pid ${pid}).`, {
        pid: Number(pid),
      })
    await rm(path, { force: true })
  }
  throw new EdgeFailure('CONFLICT', 'Another edge is being started on this directory.')
}

/** Makes this process the only edge of a directory in place of the one that is, which agrees. Dispose to give it up. */
export async function takeLock(path: string): Promise<AsyncDisposable> {
  const own = await ownMark()
  const temporary = `${path}.${process.pid}`
  await writeFile(temporary, own, { mode: 0o600 })
  await rename(temporary, path)
  return lockOf(path, own)
}

const ownMark = async (): Promise<string> => `${process.pid} ${await identityOf(process.pid)}`

/** One that another edge has taken is not given up. */
const lockOf = (path: string, own: string): AsyncDisposable => ({
  async [Symbol.asyncDispose]() {
    const text = await readFile(path, 'utf8').catch(() => '')
    if (text === own) await rm(path, { force: true })
  },
})
