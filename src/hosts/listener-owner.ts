import { readFile } from 'node:fs/promises'
import { endianness } from 'node:os'

/** A socket that waits for connections. */
export interface ListeningProcess {
  /** `127.0.0.1`, `0.0.0.0`, `::1`, `::`; of another IPv6 address the hexadecimal digits. */
  address: string
  port: number
  /** User whose process made it. */
  uid: number
}

/**
 * Whether all that a connection to `url` can reach belongs to the user `uid`, and something can be reached. Null where the
 * system does not tell (other than Linux). `url` is an origin on this machine's loopback.
 */
export async function isListenerOf(url: string, uid: number): Promise<boolean | null> {
  if (process.platform !== 'linux') return null
  const tables = await Promise.all(['tcp', 'tcp6'].map(tableOf))
  if (tables.every((table) => table === null)) return null
  return isOwnListener(
    tables.flatMap((table) => listenersIn(table ?? '')),
    url,
    uid,
  )
}

/** Null where there is none, as on a machine without IPv6. */
async function tableOf(name: string): Promise<string | null> {
  try {
    return await readFile(`/proc/self/net/${name}`, 'latin1')
  } catch (failure) {
    if (['ENOENT', 'EACCES', 'EPERM'].includes((failure as NodeJS.ErrnoException).code ?? '')) return null
    throw failure
  }
}

/** The decision of `isListenerOf`. */
export function isOwnListener(listeners: readonly ListeningProcess[], url: string, uid: number): boolean {
  const { hostname, port } = new URL(url)
  const atPort = listeners.filter((listener) => listener.port === Number(port || 80))
  // A name may lead to either.
  const addresses = hostname === 'localhost' ? ['127.0.0.1', '::1'] : [hostname.replace(/^\[|\]$/g, '')]
  const reached = addresses.flatMap((address) => {
    const exact = atPort.filter((listener) => listener.address === address)
    if (exact.length > 0) return exact
    const wildcards = address.includes(':') ? ['::'] : ['0.0.0.0', '::']
    return atPort.filter((listener) => wildcards.includes(listener.address))
  })
  return reached.length > 0 && reached.every((listener) => listener.uid === uid)
}

/** The listening sockets in the text of `/proc/net/tcp` or `/proc/net/tcp6` (proc(5)). */
export function listenersIn(table: string): ListeningProcess[] {
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , uid] = line.trim().split(/\s+/)
    const [address = '', port = ''] = local.split(':')
    if (state !== '0A' || uid === undefined) return []
    return [{ address: addressOf(address), port: Number.parseInt(port, 16), uid: Number(uid) }]
  })
}

/** Words of 32 bits in the byte order of the machine. */
function addressOf(digits: string): string {
  const bytes = Buffer.from(digits, 'hex')
  if (endianness() === 'LE') bytes.swap32()
  const hex = bytes.toString('hex')
  if (hex.length === 8) return [...bytes].join('.')
  if (/^0{20}ffff/.test(hex)) return [...bytes.subarray(12)].join('.')
  if (/^0{31}[01]$/.test(hex)) return hex.endsWith('1') ? '::1' : '::'
  return hex
}
