import { execFile } from 'node:child_process'
import { closeSync, ftruncateSync, openSync, readSync, statSync, writeSync } from 'node:fs'
import { copyFile, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** Frees the blocks of the first `bytes` of a file, which then read as zeros; false when that is not possible. */
export type Punch = (path: string, bytes: number) => Promise<boolean>

export interface LogFileOptions {
  path: string
  /** How much of the cut-off part is kept, bytes. */
  keptBytes: number
  punch?: Punch
  /** The writer's own descriptor of the file, such as `/proc/42/fd/1`; null when no writer is known. */
  descriptor?: () => string | null
}

const chunkBytes = 1_000_000

/**
 * A file that another process appends to and that must not grow forever. Its writer does not know us: emptying the
 * file would lose what it wrote since the last read. So the front is copied and its blocks are freed while the writer
 * continues behind it. No byte is lost, and each keeps its offset over all cuts and restarts. The part cut off last is
 * in a file next to it, named by the offset at which it ends, so that a cut that was killed halfway can be found and
 * completed. On systems that cannot free blocks (all but Linux) the file is copied and emptied, which loses what is
 * written in the microseconds in between.
 */
export class LogFile {
  readonly path: string
  readonly #keptBytes: number
  readonly #punch: Punch
  #found: Promise<void> | undefined
  /** Bytes before it are in the older file, or gone. */
  #cut = 0
  /** The file to read, wherever it is now. */
  #inode: number | null = null
  readonly #descriptor: () => string | null
  #older: { path: string; from: number } | null = null

  constructor({ path, keptBytes, punch = punchHole, descriptor = () => null }: LogFileOptions) {
    this.#descriptor = descriptor
    this.path = path
    this.#keptBytes = keptBytes
    this.#punch = punch
  }

  /** The offsets of the first byte that remains and after the last one, and the time of the last write. */
  async extent(): Promise<{ start: number; cut: number; end: number; writtenAtMs: number; inode: number }> {
    await this.#ready()
    // Called once a second for each file. Its writer has it open, so the answer comes from memory, without a thread.
    const { size, mtimeMs, ino } = statSync(this.#place())
    if (this.#inode !== null && ino !== this.#inode) {
      this.#cut = 0
      this.#older = null
    }
    this.#inode = ino
    if (size < this.#cut) {
      // Someone emptied it, so it starts again at 0.
      this.#cut = 0
      this.#older = null
    }
    return {
      start: this.#older?.from ?? this.#cut,
      cut: this.#cut,
      end: size,
      writtenAtMs: mtimeMs,
      inode: ino,
    }
  }

  /**
   * The path at which the file can be opened. Its writer continues to write to a file that was renamed, deleted or
   * replaced, which is then read through the writer's descriptor.
   */
  #place(): string {
    const there = statSync(this.path, { throwIfNoEntry: false })
    if (there && (this.#inode === null || there.ino === this.#inode)) return this.path
    const descriptor = this.#descriptor()
    const held = descriptor === null ? undefined : statSync(descriptor, { throwIfNoEntry: false })
    const isHeld = held?.isFile() === true && (this.#inode === null || held.ino === this.#inode)
    return descriptor !== null && isHeld ? descriptor : this.path
  }

  /** The bytes from `from` up to `to`, both within the extent. */
  async read(from: number, to: number): Promise<Buffer> {
    const parts: Buffer[] = []
    if (this.#older && from < this.#cut)
      parts.push(await readRange(this.#older.path, from - this.#older.from, this.#cut - this.#older.from))
    const first = Math.max(from, this.#cut)
    if (first < to) parts.push(await readRange(this.#place(), first, to))
    return Buffer.concat(parts)
  }

  /**
   * Cuts off what is before `at`; the newest `keptBytes` of it stay readable. If the file had to be emptied, returns
   * what was behind `at`, and offsets restart at 0; otherwise null.
   */
  async cutAt(at: number): Promise<Buffer | null> {
    const from = at - this.#cut > this.#keptBytes ? await this.#lineAfter(at - this.#keptBytes) : this.#cut
    const path = `${this.path}.${String(at).padStart(offsetDigits, '0')}`
    const place = this.#place()
    await copyRange(place, from, at, `${this.path}.new`)
    await rename(`${this.path}.new`, path)
    if (!(await this.#punch(place, at))) {
      await rm(path)
      return this.#empty(at)
    }
    const before = this.#older
    this.#cut = at
    this.#older = { path, from }
    if (before) await rm(before.path, { force: true })
    return null
  }

  /** Deletes the file and what was cut off. */
  async remove(): Promise<void> {
    const own = [this.path, `${this.path}.1`, `${this.path}.new`]
    for (const path of [...own, ...(await this.#cutOff())]) await rm(path, { force: true })
  }

  /** The position of the first whole line after `from`; `from` when none is near. */
  async #lineAfter(from: number): Promise<number> {
    return from + (await readRange(this.#place(), from, from + slackBytes)).indexOf('\n') + 1
  }

  #ready(): Promise<void> {
    this.#found ??= this.#find().catch((failure: unknown) => {
      this.#found = undefined
      throw failure
    })
    return this.#found
  }

  /** Finds what an earlier edge cut off. */
  async #find(): Promise<void> {
    const paths = await this.#cutOff()
    const path = paths.pop()
    for (const old of paths) await rm(old, { force: true })
    if (path === undefined) return
    const cut = Number(path.slice(-offsetDigits))
    const { size, blocks } = await stat(this.#place())
    this.#older = { path, from: cut - (await stat(path)).size }
    this.#cut = cut
    const isPunched = blocks * blockBytes <= size - cut + slackBytes
    if (size >= cut && !isPunched) await this.#punch(this.#place(), cut)
  }

  /** The files of what was cut off, oldest first. */
  async #cutOff(): Promise<string[]> {
    const own = `${basename(this.path)}.`
    const names = await readdir(dirname(this.path))
    return names
      .filter((name) => name.startsWith(own) && cutName.test(name.slice(own.length)))
      .sort()
      .map((name) => join(dirname(this.path), name))
  }

  async #empty(at: number): Promise<Buffer> {
    await copyFile(this.path, `${this.path}.1`)
    const copied = (await stat(`${this.path}.1`)).size
    const file = openSync(this.path, 'r+')
    const copy = openSync(`${this.path}.1`, 'a')
    try {
      // Synchronous from here on, so that the writer has as little time as possible to write what is lost.
      const chunk = Buffer.alloc(chunkBytes)
      for (let to = copied, count = 1; count > 0; to += count) {
        count = readSync(file, chunk, 0, chunk.length, to)
        writeSync(copy, chunk, 0, count)
      }
      ftruncateSync(file, 0)
    } finally {
      closeSync(file)
      closeSync(copy)
    }
    const { size } = await stat(`${this.path}.1`)
    return readRange(`${this.path}.1`, at, size)
  }
}

const offsetDigits = 16
const cutName = /^\d{16}$/
/** The unit of `stat`, and the disk space that a file may use beyond its length. */
const blockBytes = 512
const slackBytes = 65_536

/** Linux only; Node cannot do it itself. */
const punchHole: Punch = (path, bytes) =>
  process.platform === 'linux'
    ? new Promise((resolve) => {
        execFile('fallocate', ['--punch-hole', '--offset', '0', '--length', String(bytes), path], (failure) =>
          resolve(failure === null),
        )
      })
    : Promise.resolve(false)

async function readRange(path: string, from: number, to: number): Promise<Buffer> {
  const file = await open(path, 'r')
  try {
    return await readFrom(file, from, to - from)
  } finally {
    await file.close()
  }
}

async function readFrom(file: FileHandle, from: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  const { bytesRead } = await file.read(buffer, 0, length, from)
  return buffer.subarray(0, bytesRead)
}

async function copyRange(path: string, from: number, to: number, target: string): Promise<void> {
  const source = await open(path, 'r')
  try {
    const copy = await open(target, 'w', 0o600)
    try {
      for (let at = from; at < to;) {
        const chunk = await readFrom(source, at, Math.min(chunkBytes, to - at))
        if (chunk.length === 0) break
        await copy.writeFile(chunk)
        at += chunk.length
      }
      // The original is removed next.
      await copy.datasync()
    } finally {
      await copy.close()
    }
  } finally {
    await source.close()
  }
}
