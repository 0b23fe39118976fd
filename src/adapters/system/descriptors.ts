import { closeSync, readdirSync, readFileSync } from 'node:fs'

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
