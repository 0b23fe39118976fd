import { randomUUID } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AppError } from '../../base/index.ts'
import { lockByKernel } from './kernel-lock.ts'
import { identityOf } from '../supervisor/index.ts'
import { isUnwritable } from '../machine/index.ts'

export interface DirectoryLock extends AsyncDisposable {
  /** The file names this process. Not while the disk takes nothing: the kernel's lock alone holds then. */
  readonly isWritten: boolean
  /** Writes the file that could not be written before. Rejects when it still cannot be. */
  write(): Promise<void>
  /**
   * Gets the kernel's lock, which an edge that has handed over keeps until it has ended. Whether this is settled:
   * we have it, or this system has none.
   */
  lockKernel(): Promise<boolean>
}

/**
 * Makes this process the only edge of a directory, by a lock of the kernel and a file that names it. The file of an
 * edge that was killed is taken over. A full or read-only disk that takes no file does not prevent it: the kernel's
 * lock is exclusive without one, and the file that is there must name nobody who runs. Throws CONFLICT while the other
 * edge runs. Dispose to give it up.
 */
export async function lockDirectory(path: string): Promise<DirectoryLock> {
  const kernel = await lockByKernel(dirname(path))
  const own = await ownMark()
  try {
    await claim(path, own)
    return lockOf(path, own, kernel, true)
  } catch (failure) {
    try {
      if (!isUnwritable(failure)) throw failure
      await requireNobody(path)
      return lockOf(path, own, kernel, false)
    } catch (final) {
      kernel?.[Symbol.dispose]()
      throw final
    }
  }
}

/** Makes the file name this process. Throws CONFLICT while it names another that runs. */
async function claim(path: string, own: string): Promise<void> {
  // With its content from the first moment on: whoever found it empty would take it for one that was left.
  const whole = `${path}.${randomUUID()}`
  const claiming = `${path}.claim`
  try {
    await writeFile(whole, own, { mode: 0o600 })
    for (let tries = 0; tries < 3; tries++) {
      if (await linked(whole, path)) return
      await requireNobody(path)
      if (await linked(whole, claiming)) {
        // Of all that find a lock that was left one alone removes it: the next would remove the lock of the first.
        try {
          await requireNobody(path)
          await rm(path, { force: true })
          if (await linked(whole, path)) return
        } finally {
          await rm(claiming, { force: true })
        }
      } else {
        await requireNobody(claiming)
        await rm(claiming, { force: true })
      }
    }
  } finally {
    await rm(whole, { force: true }).catch(() => undefined)
  }
  throw new AppError('CONFLICT', 'An edge is already running on this directory, or is starting.')
}

/** Throws CONFLICT while the process that the file names runs, and the system's error when the file cannot be read. */
async function requireNobody(path: string): Promise<void> {
  const text = await readFile(path, 'utf8').catch((failure: unknown) => {
    if ((failure as NodeJS.ErrnoException).code !== 'ENOENT') throw failure
    return ''
  })
  const [, pid, identity] = /^(\d+) (.*)$/.exec(text) ?? []
  if (pid !== undefined && (await identityOf(Number(pid))) === identity)
    throw new AppError('CONFLICT', `An edge is already running on this directory (pid ${pid}).`, {
      details: { pid: Number(pid) },
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
export async function takeLock(path: string): Promise<DirectoryLock> {
  const own = await ownMark()
  await write(path, own)
  return lockOf(path, own, null, true)
}

let writes = 0

async function write(path: string, own: string): Promise<void> {
  // Tries may overlap while the disk is slow: each has a file of its own.
  const temporary = `${path}.${process.pid}.${++writes}`
  await writeFile(temporary, own, { mode: 0o600 })
  await rename(temporary, path)
}

const ownMark = async (): Promise<string> => `${process.pid} ${await identityOf(process.pid)}`

/** A file that another edge has taken is not given up. */
function lockOf(path: string, own: string, kernel: Disposable | null, hasWritten: boolean): DirectoryLock {
  let isWritten = hasWritten
  let held = kernel
  return {
    get isWritten() {
      return isWritten
    },
    write: async () => {
      await write(path, own)
      isWritten = true
    },
    lockKernel: async () => {
      try {
        held ??= await lockByKernel(dirname(path))
        return true
      } catch (failure) {
        if (failure instanceof AppError) return false
        throw failure
      }
    },
    [Symbol.asyncDispose]: async () => {
      const text = await readFile(path, 'utf8').catch(() => '')
      // On a disk that has become read-only it stays: it names nobody who runs.
      if (text === own) await rm(path, { force: true }).catch(() => undefined)
      held?.[Symbol.dispose]()
    },
  }
}
