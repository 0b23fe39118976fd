import { AppError } from '../../base/index.ts'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
  type Stats,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'

const ownerOnly = 0o700

/** Windows keeps rights elsewhere; its profile folders are private by inheritance. */
const isOpen = ({ mode }: Stats): boolean => process.platform !== 'win32' && (mode & 0o077) !== 0
const isOwn = ({ uid }: Stats): boolean => uid === process.getuid?.()

/** Level by level: Node's own recursion never ends where the system denies what it lists, as below /proc. */
function makeDirectories(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })) return
  if (dirname(path) !== path) makeDirectories(dirname(path))
  mkdirSync(path, { mode: ownerOnly })
}

/**
 * Makes `path` a directory that only this user can enter (mode 0700), with the directories above it where they are
 * missing. An existing one that is open to others is repaired if it is this user's, and empty or holds one of the `known`
 * names. Throws UNAVAILABLE otherwise: it is someone else's, or used for other things, such as `/tmp`. Throws the
 * system's error when it cannot be made.
 */
export function makePrivateDirectory(path: string, known: readonly string[]): void {
  makeDirectories(resolve(path))
  const place = realpathSync(path)
  const found = lstatSync(place)
  if (!isOpen(found)) return
  const mode = (found.mode & 0o7777).toString(8).padStart(4, '0')
  const isOpenText = `Other users can enter ${path} (mode ${mode})`
  if (!isOwn(found))
    throw new AppError(
      'UNAVAILABLE',
      `${isOpenText}, and it belongs to another user (uid ${found.uid}). Choose a directory of your own.`,
      { details: { path } },
    )
  const names = readdirSync(place)
  if (names.length > 0 && !names.some((name) => known.includes(name)))
    throw new AppError(
      'UNAVAILABLE',
      `${isOpenText}, and it holds other files. Choose a directory for Pilothouse alone, or run: chmod 700 ${path}`,
      { details: { path } },
    )
  chmodSync(place, ownerOnly)
}

/**
 * Takes every right of other users off `path` and all that is in it, as far as it is this user's. Links are not followed,
 * and what is not there needs nothing.
 */
export function makePrivateTree(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (!found || found.isSymbolicLink()) return
  if (isOpen(found) && isOwn(found)) chmodSync(path, found.mode & ownerOnly)
  if (!found.isDirectory()) return
  for (const name of readdirSync(path)) makePrivateTree(join(path, name))
}

/**
 * Makes an empty file at `path` that only this user can read (mode 0600) unless there is one, which loses the rights of
 * other users. SQLite gives the files that it puts beside a database the mode of the database. Throws the system's error.
 */
export function makePrivateFile(path: string): void {
  closeSync(openSync(path, 'a', 0o600))
  makePrivateTree(path)
}

/** Replaces the file at `path` as a whole by `text`, for this user only. Throws the system's error. */
export function writePrivateFile(path: string, text: string): void {
  const unfinished = `${path}.${randomBytes(6).toString('hex')}`
  try {
    writeFileSync(unfinished, text, { mode: 0o600, flag: 'wx' })
    renameSync(unfinished, path)
  } catch (failure) {
    rmSync(unfinished, { force: true })
    throw failure
  }
}
