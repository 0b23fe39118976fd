import { watch, type FSWatcher } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { SerialQueue, type Clock, type Result } from '../../base/index.ts'
import type { ConfigProblem } from '../../contract/index.ts'
import type { LoadedConfig } from '../../engine/config/index.ts'
import { searched } from './file.ts'
import { placesOf } from './places.ts'
import { namedFile, readConfig, type ConfigRead, type ConfigRequest } from './read.ts'

export interface WatchOptions {
  request: ConfigRequest
  clock: Clock
  /** What is running now; a file that says the same is no news. */
  current: ConfigRead
  /** Gets each newer config, or the mistakes of one that is not to be taken. */
  onChange: (result: Result<LoadedConfig, ConfigProblem[]>) => void
  /** Gets what kept one look from its end; the next change or poll looks again. */
  onFailure: (failure: unknown) => void
  /** How long a file must rest before it is read: editors write in steps. */
  settleMs?: number
  /** Look at least this often: network drives and lost directories send no events. */
  pollMs?: number
}

const sameBytes = (a: Uint8Array | null, b: Uint8Array | null) =>
  a === b || (a !== null && b !== null && Buffer.compare(a, b) === 0)

const isSame = (a: ConfigRead, b: ConfigRead) =>
  a.path === b.path &&
  sameBytes(a.bytes, b.bytes) &&
  JSON.stringify(mistakesOf(a)) === JSON.stringify(mistakesOf(b))

const mistakesOf = ({ result }: ConfigRead) => (result.ok ? [] : result.error)

/** Changes when any of the files does, however little; costs a stat each. */
async function fingerprint(paths: readonly string[]): Promise<string> {
  const stats = await Promise.all(
    paths.map((path) =>
      stat(path, { bigint: true }).then(
        ({ ino, size, mtimeNs }) => `${ino}:${size}:${mtimeNs}`,
        () => '-',
      ),
    ),
  )
  return stats.join('|')
}

class ConfigWatcher implements AsyncDisposable {
  readonly #options: WatchOptions
  readonly #directories: string[]
  readonly #watchers = new Map<string, FSWatcher>()
  #last: ConfigRead
  /** The fingerprint at the last look. */
  #seen = ''
  #poll: Disposable | undefined
  #settling: Disposable | undefined
  #isDisposed = false
  readonly #looks = new SerialQueue()

  constructor(options: WatchOptions) {
    this.#options = options
    this.#last = options.current
    const places = placesOf(options.request.system)
    const named = namedFile(options.request)
    this.#directories = named ? [dirname(resolve(places.workingDirectory, named.path))] : searched(places)
  }

  start(): void {
    this.#poll = this.#options.clock.every(this.#options.pollMs ?? 5000, () => this.#stir())
    // Also covers what was written between the first reading and now.
    this.#stir()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true
    this.#poll?.[Symbol.dispose]()
    this.#settling?.[Symbol.dispose]()
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
    await this.#looks.idle()
  }

  /** Something may have changed: look when it has come to rest. Noise in between does not put that off. */
  #stir(): void {
    if (this.#isDisposed || this.#settling) return
    this.#enqueue('')
  }

  async #settle(before: string): Promise<void> {
    if (this.#isDisposed || this.#settling) return
    const now = await fingerprint(await this.#watched())
    if (this.#isDisposed || this.#settling) return
    if (now === this.#seen) return
    if (now === before) {
      this.#seen = now
      return this.#look()
    }
    this.#settling = this.#options.clock.after(this.#options.settleMs ?? 100, () => {
      this.#settling = undefined
      this.#enqueue(now)
    })
  }

  /** No failure of a look is left to nobody: it would end the engine. */
  #enqueue(before: string): void {
    this.#looks
      .run(() => this.#settle(before))
      .catch((failure: unknown) => {
        this.#seen = ''
        this.#options.onFailure(failure)
      })
  }

  async #look(): Promise<void> {
    const read = await readConfig(this.#options.request)
    // What could not be read may be readable at the next poll, without a trace in the fingerprint.
    if (!read.result.ok && read.bytes === null) this.#seen = ''
    if (this.#isDisposed || isSame(read, this.#last)) return
    this.#last = read
    this.#options.onChange(read.result)
  }

  /** The directories, not the file: editors replace it, and a link may be turned to another. */
  async #watched(): Promise<string[]> {
    const path = this.#last.path
    const target = path ? await realpath(path).catch(() => path) : undefined
    const directories = new Set([...this.#directories, ...(target ? [dirname(target)] : [])])
    for (const directory of directories) this.#watch(directory)
    return [...directories, ...(path ? [path] : [])]
  }

  #watch(directory: string): void {
    if (this.#isDisposed || this.#watchers.has(directory)) return
    try {
      const watcher = watch(directory, { persistent: false }, () => this.#stir())
      const forget = () => {
        watcher.close()
        this.#watchers.delete(directory)
      }
      watcher.on('error', forget)
      this.#watchers.set(directory, watcher)
    } catch {
      // Not there, or no watches left on this system: the poll finds it.
    }
  }
}

/** Follows the config of `request`, by events of its directory and by a slow poll, until disposed. */
export function watchConfig(options: WatchOptions): AsyncDisposable {
  const watcher = new ConfigWatcher(options)
  watcher.start()
  return watcher
}
