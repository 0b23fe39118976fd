import type { Database } from 'better-sqlite3'
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { makePrivateFile } from '../../../../system/index.ts'

/** How many copies stay, beside the newest one of each schema version. */
const keptCount = 5

interface Backup {
  path: string
  version: number
  /** UTC to the millisecond, in the form that sorts by time. */
  stamp: string
}

const directoryOf = (file: string) => join(dirname(file), 'backups')
const stemOf = (file: string) => basename(file).replace(/\.[^.]*$/, '')

/** The backups of `file`, newest first. */
function backupsOf(file: string): Backup[] {
  const directory = directoryOf(file)
  let names: string[]
  try {
    names = readdirSync(directory)
  } catch {
    // No such directory: nothing was copied yet.
    return []
  }
  const form = /^(?<stem>.+)-v(?<version>\d+)-(?<stamp>\d{8}T\d{9}Z)\.sqlite$/
  return names
    .flatMap((name) => {
      const { stem, version, stamp } = form.exec(name)?.groups ?? {}
      if (stem !== stemOf(file) || !version || !stamp) return []
      return [{ path: join(directory, name), version: Number(version), stamp }]
    })
    .sort((a, b) => (a.stamp < b.stamp ? 1 : -1))
}

/** Path of the newest backup, or null. */
export const newestBackup = (file: string): string | null => backupsOf(file)[0]?.path ?? null

const stampOf = (atMs: number) => new Date(atMs).toISOString().replace(/[-:.]/g, '')

function syncToDisk(path: string): void {
  const descriptor = openSync(path, 'r+')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/**
 * Copies the open database as it stands to `backups/` beside it and drops the oldest copies. The copy has its name
 * only when it is whole and on disk. Gives its path.
 */
export function backUp(db: Database, file: string, version: number, atMs: number): string {
  mkdirSync(directoryOf(file), { recursive: true, mode: 0o700 })
  const path = join(directoryOf(file), `${stemOf(file)}-v${version}-${stampOf(atMs)}.sqlite`)
  const unfinished = `${path}.part`
  rmSync(unfinished, { force: true })
  // SQLite fills an empty file, and keeps its mode.
  makePrivateFile(unfinished)
  db.prepare('VACUUM INTO ?').run(unfinished)
  syncToDisk(unfinished)
  renameSync(unfinished, path)
  prune(file)
  return path
}

function prune(file: string): void {
  const seen = new Set<number>()
  for (const [index, backup] of backupsOf(file).entries()) {
    const isNewestOfVersion = !seen.has(backup.version)
    seen.add(backup.version)
    if (index >= keptCount && !isNewestOfVersion) rmSync(backup.path, { force: true })
  }
}

/** True when no copy was made in the `ageMs` before `nowMs`; one from the future counts as none. */
export function isBackupDue(file: string, nowMs: number, ageMs: number): boolean {
  const [oldest, now] = [stampOf(nowMs - ageMs), stampOf(nowMs)]
  return !backupsOf(file).some(({ stamp }) => stamp > oldest && stamp <= now)
}
