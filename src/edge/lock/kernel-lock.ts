import { AppError } from '../../base/index.ts'
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'

/** The descriptor that `flock` finds the directory at. */
const passedAt = 3

/**
 * Locks a directory for as long as this process lives or until it is disposed: flock(2) on the directory itself, which
 * needs no write and so works on a full or read-only disk. Node cannot call flock, so the program of that name does it
 * on our descriptor; the lock then belongs to the descriptor. Null where there is no such program, or the filesystem
 * cannot lock. Throws CONFLICT while another process holds the lock.
 */
export async function lockByKernel(directory: string): Promise<Disposable | null> {
  if (process.platform === 'win32') return null
  const descriptor = openSync(directory, 'r')
  const code = await new Promise<number | null>((resolve) => {
    const child = spawn('flock', ['-n', '-x', String(passedAt)], {
      stdio: ['ignore', 'ignore', 'ignore', descriptor],
    })
    child.once('error', () => resolve(null))
    child.once('exit', resolve)
  })
  if (code === 0) {
    let isHeld = true
    return {
      [Symbol.dispose]: () => {
        if (isHeld) closeSync(descriptor)
        isHeld = false
      },
    }
  }
  closeSync(descriptor)
  if (code === 1) throw new AppError('CONFLICT', 'An edge is already running on this directory.')
  return null
}
