import { closeSync, openSync, readSync } from 'node:fs'
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

/**
 * The listening sockets of this machine (Linux); null where the kernel does not tell, or tells of none at all. The
 * kernel lists them before the connections, which are not read: there may be a hundred thousand.
 */
export function listenSockets(): ListenSocket[] | null {
  try {
    const found = [...socketsIn('/proc/net/tcp'), ...socketsIn('/proc/net/tcp6')]
    return found.length === 0 ? null : found
  } catch {
    // Not Linux, not allowed, or no free descriptor.
    return null
  }
}

function socketsIn(path: string): ListenSocket[] {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (failure) {
    // A kernel without IPv6 has no table of it.
    if (path.endsWith('6') && (failure as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw failure
  }
  try {
    const buffer = Buffer.alloc(readBytes)
    let text = ''
    for (;;) {
      const count = readSync(file, buffer)
      text += buffer.toString('latin1', 0, count)
      const { sockets, isComplete } = parseListenTable(text)
      if (count === 0 || isComplete) return sockets
    }
  } finally {
    closeSync(file)
  }
}

/** The listening sockets at the beginning of a table; complete when a connection follows. */
export function parseListenTable(text: string): { sockets: ListenSocket[]; isComplete: boolean } {
  const sockets: ListenSocket[] = []
  // The first line has the names of the columns, and the last one may not be whole.
  for (const line of text.split('\n').slice(1, -1)) {
    const [, local = '', , state, , , , uid] = line.trim().split(/\s+/)
    if (state !== listening && state !== beginning) return { sockets, isComplete: true }
    const [address = '', port = ''] = local.split(':')
    if (state === listening) sockets.push({ address, port: Number.parseInt(port, 16), uid: Number(uid) })
  }
  return { sockets, isComplete: false }
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
