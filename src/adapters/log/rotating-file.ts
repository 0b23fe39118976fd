import { closeSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

export interface RotatingFileOptions {
  path: string
  /** A file is turned before it grows beyond this. */
  maxBytes: number
  /** How many older ones stay beside it, `.1` the newest. */
  keptCount: number
}

/**
 * A log file that never fills the disk: at most `keptCount + 1` files of `maxBytes`. Lines are written at once,
 * so that the last words before a crash are there. A full or failing disk costs lines, which are counted; it never
 * throws into the caller.
 */
export class RotatingFile implements Disposable {
  readonly #options: RotatingFileOptions
  #descriptor: number | undefined
  #sizeBytes = 0
  #lostLineCount = 0
  #isDisposed = false

  constructor(options: RotatingFileOptions) {
    this.#options = options
  }

  get lostLineCount(): number {
    return this.#lostLineCount
  }

  write(line: string): void {
    if (this.#isDisposed) return
    try {
      const bytes = Buffer.from(line)
      if (this.#sizeBytes > 0 && this.#sizeBytes + bytes.length > this.#options.maxBytes) this.#turn()
      this.#descriptor ??= this.#open()
      this.#sizeBytes += writeSync(this.#descriptor, bytes)
    } catch {
      this.#lostLineCount++
      // The next line tries anew: the disk may have room again.
      this.#close()
    }
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true
    this.#close()
  }

  #open(): number {
    const { path } = this.#options
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const descriptor = openSync(path, 'a', 0o600)
    this.#sizeBytes = fstatSync(descriptor).size
    return descriptor
  }

  #close(): void {
    const descriptor = this.#descriptor
    this.#descriptor = undefined
    this.#sizeBytes = 0
    if (descriptor !== undefined) closeSync(descriptor)
  }

  #turn(): void {
    this.#close()
    const { path, keptCount } = this.#options
    rmSync(`${path}.${keptCount}`, { force: true })
    for (let age = keptCount - 1; age >= 0; age--) {
      const from = age === 0 ? path : `${path}.${age}`
      try {
        renameSync(from, `${path}.${age + 1}`)
      } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown
      }
    }
  }
}
