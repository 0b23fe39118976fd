import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { endianness } from 'node:os'
import type { LoopbackHost } from './connections.ts'

/** A listening TCP socket as the kernel reports it. */
export interface ListenSocket {
  /** In the kernel's notation: hexadecimal, in words of 4 bytes in the byte order of the machine. */
  address: string
  port: number
  /** User of the process that created the socket. */
  uid: number
}

/** The states of a listening socket and of a connection that is not established yet, as in the table. */
const [listening, beginning] = ['0A', '03']

/** Size of one read, bytes. The kernel gives about 4 KiB at a time. */
const readBytes = 8192

/** How much of the table to read: up to the first connection, or all of it. */
export type ListenTableExtent = 'beginning' | 'whole'

/**
 * The listening sockets of this machine (Linux); null when the kernel reports none or no table. Linux lists them
 * before the connections, of which there may be a hundred thousand; other kernels with this table, such as gVisor, may
 * not.
 */
export function listenSockets(extent: ListenTableExtent): ListenSocket[] | null {
  const read = extent === 'whole' ? (path: string) => readFileSync(path, 'latin1') : beginningOf
  try {
    const texts = [read('/proc/net/tcp'), unlessMissing(() => read('/proc/net/tcp6'))]
    const found = texts.flatMap((text) => parseListenTable(text).sockets)
    return found.length === 0 ? null : found
  } catch {
    // Not Linux, no permission, or no free descriptor.
    return null
  }
}

/** A kernel without IPv6 has no table for it. */
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

/** The listening sockets in the text of a table, and whether it also has connections. */
export function parseListenTable(text: string): { sockets: ListenSocket[]; hasConnections: boolean } {
  const sockets: ListenSocket[] = []
  let hasConnections = false
  // The first line names the columns, and the last one may be incomplete.
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

/** Addresses at which a socket takes connections to a host, in the kernel's order of preference. */
const takers: Readonly<Record<LoopbackHost, readonly (readonly string[])[]>> = {
  '127.0.0.1': [[loopback4, mapped4], [any4], [any6]],
  '::1': [[loopback6], [any6]],
}

/** The users whose sockets take connections to `host` and `port`; empty when nothing listens there. */
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
