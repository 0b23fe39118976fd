import { randomUUID } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { EdgeFailure } from './failure.ts'
import { identityOf } from './supervisor/process-identity.ts'

/**
 * Makes this process the only edge of a directory, by a file that names it. One that a killed edge left is taken
 * over. Throws CONFLICT while the other edge runs. Dispose to give it up.
 */
export async function lockDirectory(path: string): Promise<AsyncDisposable> {
  const own = await ownMark()
  // With its content from the first moment on: whoever found it empty would take it for one that was left.
  const whole = `${path}.${randomUUID()}`
  const claim = `${path}.claim`
  await writeFile(whole, own, { mode: 0o600 })
  try {
    for (let tries = 0; tries < 3; tries++) {
      if (await linked(whole, path)) return lockOf(path, own)
      await requireNobody(path)
      if (await linked(whole, claim)) {
        // Of all that find a lock that was left one alone removes it: the next would remove the lock of the first.
        try {
          await requireNobody(path)
          await rm(path, { force: true })
          if (await linked(whole, path)) return lockOf(path, own)
        } finally {
          await rm(claim, { force: true })
        }
      } else {
        await requireNobody(claim)
        await rm(claim, { force: true })
      }
    }
  } finally {
    await rm(whole, { force: true })
  }
  throw new EdgeFailure('CONFLICT', 'An edge runs already on this directory, or starts just now.')
}

/** Throws CONFLICT while the process that the file names runs. */
async function requireNobody(path: string): Promise<void> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const [, pid, identity] = /^(\d+) (.*)$/.exec(text) ?? []
  if (pid !== undefined && (await identityOf(Number(pid))) === identity)
    throw new EdgeFailure('CONFLICT', `An edge runs already on this directory (pid ${pid}).`, {
      pid: Number(pid),
    })
}

/** Gives a file a second name; false when there is one of this name. */
const linked = (from: string, to: string): Promise<boolean> =>
  link(from, to).then(
    () => true,
    (failure: unknown) => {
      if ((failure as NodeJS.ErrnoException).code !== 'EEXIST') throw failure
      return false
    },
  )

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
