import { open } from 'node:fs/promises'
import { join } from 'node:path'

/** include/net/tcp_states.h, by number. */
const states = [
  undefined,
  'established',
  'syn_sent',
  'syn_received',
  'fin_wait_1',
  'fin_wait_2',
  'time_wait',
  'close',
  'close_wait',
  'last_ack',
  'listen',
  'closing',
  'syn_received',
] as const

const chunkBytes = 256 * 1024

/**
 * TCP connections of IPv4 and IPv6 by state; every state is there. The kernel walks its whole hash table for it
 * (about 10 ms, in the thread pool), so this is for a person's question, not for every second.
 */
export async function countConnections(procRoot: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const state of states) if (state) counts[state] = 0
  for (const table of ['net/tcp', 'net/tcp6']) {
    const file = await open(join(procRoot, table)).catch(() => undefined)
    if (!file) continue
    try {
      const buffer = new Uint8Array(chunkBytes)
      let rest = ''
      for (;;) {
        const { bytesRead } = await file.read(buffer, 0, chunkBytes, null)
        if (bytesRead === 0) break
        const lines = (rest + Buffer.from(buffer.buffer, 0, bytesRead).toString('latin1')).split('\n')
        rest = lines.pop()!
        countStates(lines, counts)
      }
      countStates([rest], counts)
    } finally {
      await file.close()
    }
  }
  return counts
}

/** Adds the rows of a text of /proc/net/tcp to `counts`; what is not a row is skipped. */
export function countStates(lines: readonly string[], counts: Record<string, number>): void {
  for (const line of lines) {
    const state = states[parseInt(/^\s*\d+: \S+ \S+ ([0-9A-F]{2}) /.exec(line)?.[1] ?? '0', 16)]
    if (state) counts[state] = (counts[state] ?? 0) + 1
  }
}
