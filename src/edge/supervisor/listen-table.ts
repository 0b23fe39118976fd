import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { endianness } from 'node:os'
import type { LoopbackHost } from './connections.ts'

/** A listening TCP socket as the kernel reports it. */
export interface ListenSocket {
  /** In the kernel's notation: hexadecimal, in words of 4 bytes in the byte order of the machine. */
  address: string
  port: number
  /** Of the process that made the socket. */
  uid: number
}

/** The state of a socket that listens, and of a connection that is not established yet, as the table has them. */
const [listening, beginning] = ['0A', '03']

/** Size of one read, bytes. The kernel gives about 4 KiB at a time. */
const readBytes = 8192

/** How much of the table is read: up to the first connection, or all of it. */
export type ListenTableExtent = 'beginning' | 'whole'

/**
 * The listening sockets of this machine (Linux); null where the kernel does not tell, or tells of none at all. Linux
 * lists them before the connections, of which there may be a hundred thousand; another kernel that has the table, such
 * as gVisor, may not.
 */
export function listenSockets(extent: ListenTableExtent): ListenSocket[] | null {
  const read = extent === 'whole' ? (path: string) => readFileSync(path, 'latin1') : beginningOf
  try {
    const texts = [read('/proc/net/tcp'), unlessMissing(() => read('/proc/net/tcp6'))]
    const found = texts.flatMap((text) => parseListenTable(text).sockets)
    return found.length === 0 ? null : found
  } catch {
    // Not Linux, not allowed, or no free descriptor.
    return null
  }
}

/** A kernel without IPv6 has no table of it. */
function unlessMissing(read: () => string): string {
  try {
    return read()
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw failure
  }
}

function beginningOf(path: string): string {
  const file = openSync(path, 'r')
  try {
    const buffer = Buffer.alloc(readBytes)
    let text = ''
    for (;;) {
      const count = readSync(file, buffer)
      text += buffer.toString('latin1', 0, count)
      if (count === 0 || parseListenTable(text).hasConnections) return text
    }
  } finally {
    closeSync(file)
  }
}

/** The listening sockets in the text of a table, and whether connections are in it as well. */
export function parseListenTable(text: string): { sockets: ListenSocket[]; hasConnections: boolean } {
  const sockets: ListenSocket[] = []
  let hasConnections = false
  // The first line has the names of the columns, and the last one may not be whole.
  for (const line of text.split('\n').slice(1, -1)) {
    const [, local = '', , state = '', , , , uid] = line.trim().split(/\s+/)
    hasConnections ||= state !== listening && state !== beginning
    if (state !== listening) continue
    const [address = '', port = ''] = local.split(':')
    sockets.push({ address, port: Number.parseInt(port, 16), uid: Number(uid) })
  }
  return { sockets, hasConnections }
}

const isLittle = endianness() === 'LE'
const any4 = '0'.repeat(8)
const any6 = '0'.repeat(32)
const loopback4 = isLittle ? '0100007F' : '7F000001'
const mapped4 = `${any6.slice(0, 16)}${isLittle ? 'FFFF0000' : '0000FFFF'}${loopback4}`
const loopback6 = `${any6.slice(0, 24)}${isLittle ? '01000000' : '00000001'}`

/** Addresses at which a socket takes connections to a host; the kernel prefers the earlier ones. */
const takers: Readonly<Record<LoopbackHost, readonly (readonly string[])[]>> = {
  '127.0.0.1': [[loopback4, mapped4], [any4], [any6]],
  '::1': [[loopback6], [any6]],
}

/** The users whose sockets take the connections to `host` and `port`; empty when none listens there. */
export function uidsListeningAt(
  sockets: readonly ListenSocket[],
  host: LoopbackHost,
  port: number,
): number[] {
  for (const addresses of takers[host]) {
    const found = sockets.filter((each) => each.port === port && addresses.includes(each.address))
    if (found.length > 0) return [...new Set(found.map(({ uid }) => uid))]
  }
  return []
}
