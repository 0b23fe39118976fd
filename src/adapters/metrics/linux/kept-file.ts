import { closeSync, openSync, readSync } from 'node:fs'

/** How long a file that could not be read is left alone: it may come with a module or a mount. */
const retryMs = 60_000
const maxBytes = 4 * 1024 * 1024
/** The kernel fills at least a page but for the record that did not fit; none of ours is longer than this. */
const longestRecord = 2048

/**
 * A file of /proc or /sys, opened once and read from its beginning each time into the same buffer.
 * Missing, forbidden or unreadable is not an error here: `read` says false.
 */
export class KeptFile implements Disposable {
  readonly path: string
  bytes = new Uint8Array(8192)
  length = 0
  #fd: number | undefined
  #isDisposed = false
  #retryAtMs = -Infinity

  constructor(path: string) {
    this.path = path
  }

  /** Reads all of it into `bytes`; false when that is not possible now. */
  read(monotonicMs: number): boolean {
    this.length = 0
    if (this.#isDisposed) return false
    if (this.#fd === undefined && monotonicMs < this.#retryAtMs) return false
    try {
      this.#fd ??= openSync(this.path, 'r')
      this.#fill(this.#fd)
      return true
    } catch {
      this.length = 0
      this.#close()
      this.#retryAtMs = monotonicMs + retryMs
      return false
    }
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true
    this.#close()
  }

  #fill(fd: number): void {
    for (;;) {
      const count = readSync(fd, this.bytes, this.length, this.bytes.length - this.length, this.length)
      this.length += count
      if (count === 0 || this.length < longestRecord) return
      if (this.length === this.bytes.length) {
        if (this.length >= maxBytes) return
        const larger = new Uint8Array(this.bytes.length * 2)
        larger.set(this.bytes)
        this.bytes = larger
      }
    }
  }

  #close(): void {
    if (this.#fd === undefined) return
    closeSync(this.#fd)
    this.#fd = undefined
  }
}
