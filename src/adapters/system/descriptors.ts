import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'

/** `O_CLOEXEC` on Linux: Node sets it on every descriptor that it opens. */
const closesOnExec = 0o2000000

/**
 * Closes the descriptors that this process was started with, other than its standard streams and `kept`. A shell that
 * holds a lock passes it on to what it starts (`exec 200>deploy.lock; flock 200`); a process that outlives the shell
 * would hold that lock, and would pass it on to all that it starts, also as another user. Whatever has come through an
 * exec lacks `O_CLOEXEC`, by which it is told from Node's own descriptors. Node sets the flag on the first 16 and on
 * those that follow without a gap: they stay open here, but are not passed on. Does nothing on macOS, where libuv passes
 * nothing on. Not for Electron, where Chromium has descriptors of its own.
 */
export function closeInherited(kept: ReadonlySet<number>): void {
  if (process.platform !== 'linux') return
  for (const descriptor of inheritedDescriptors()) {
    if (kept.has(descriptor)) continue
    try {
      closeSync(descriptor)
    } catch {
      // It was the one that the list was read with.
    }
  }
}

/** A child's streams are listed up to its highest descriptor, so that one far up would make a list of millions. */
const highestHidden = 4096

/** Read once: what a process was started with does not grow. */
let hidden: readonly number[] | null = null

/** What `spawn` takes as a child's streams, and what is open for them until it has started. */
export interface ChildStreams<T> extends Disposable {
  stdio: (T | 'ignore' | number)[]
}

/**
 * A child's streams that leave it none of the descriptors that this process was started with: each leads to `/dev/null`
 * there. For a process that goes on holding them itself, such as an engine that was started under a lock.
 */
export function withoutInherited<T>(streams: readonly T[]): ChildStreams<T> {
  if (process.platform !== 'linux') return { stdio: [...streams], [Symbol.dispose]: () => undefined }
  hidden ??= inheritedDescriptors().filter((descriptor) => descriptor <= highestHidden)
  const above = hidden.filter((descriptor) => descriptor >= streams.length)
  if (above.length === 0) return { stdio: [...streams], [Symbol.dispose]: () => undefined }
  const nowhere = openSync('/dev/null', 'r')
  const stdio = Array.from(
    { length: Math.max(...above) + 1 },
    (_, at) => streams[at] ?? (above.includes(at) ? nowhere : ('ignore' as const)),
  )
  return { stdio, [Symbol.dispose]: () => closeSync(nowhere) }
}

function inheritedDescriptors(): number[] {
  try {
    return readdirSync('/proc/self/fdinfo').map(Number).filter(isInherited)
  } catch {
    return []
  }
}

function isInherited(descriptor: number): boolean {
  if (descriptor <= 2) return false
  try {
    const flags = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))?.[1]
    return flags !== undefined && (Number.parseInt(flags, 8) & closesOnExec) === 0
  } catch {
    return false
  }
}
