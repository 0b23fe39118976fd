import { once } from 'node:events'
import net from 'node:net'
import tls from 'node:tls'
import { messageOf } from '../../base/index.ts'
import { failedForNow, type CheckVerdict } from '../../engine/validation/index.ts'

export interface NetworkAddress {
  host: string
  port: number
}

/** `host:port`, an IPv6 address in brackets. */
export const placeText = ({ host, port }: NetworkAddress): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

/** A peer that talks, but not as it should; the message is a clause. */
export class PeerFailure extends Error {}

const causes: Readonly<Record<string, string>> = {
  EPROTO: 'it does not speak TLS',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
  ECONNREFUSED: 'nothing is listening there',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  UND_ERR_SOCKET: 'the connection was cut',
  ENOTFOUND: 'the host name cannot be resolved',
  EAI_AGAIN: 'the DNS server does not respond',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to it',
  ETIMEDOUT: 'it does not respond',
  UND_ERR_CONNECT_TIMEOUT: 'it does not respond',
  UND_ERR_HEADERS_TIMEOUT: 'it does not respond',
}

/** Why the network did not do it, as a clause. */
export function causeText(thrown: unknown): string {
  // Of several addresses tried, the last one says it.
  const error: unknown = thrown instanceof AggregateError ? (thrown.errors.at(-1) ?? thrown) : thrown
  return causes[(error as NodeJS.ErrnoException).code ?? ''] ?? messageOf(error)
}

/** What the network refuses now it may allow later: always worth another attempt. */
export const unreachable = (what: string, thrown: unknown): CheckVerdict =>
  failedForNow(`${what} cannot be reached: ${causeText(thrown)}.`)

/** Connects, hands the socket over, and closes it whatever happens; an abort closes it at once. */
export async function withSocket<T>(
  place: NetworkAddress,
  signal: AbortSignal,
  use: (socket: net.Socket) => Promise<T>,
): Promise<T> {
  const socket = net.connect({ ...place })
  // Without a listener an error after the use would end the process.
  socket.on('error', () => undefined)
  const onAbort = () => socket.destroy(new Error('the check was stopped'))
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await once(socket, 'connect', { signal })
    return await use(socket)
  } finally {
    signal.removeEventListener('abort', onAbort)
    socket.destroy()
  }
}

/**
 * The same connection under TLS. Unless it is to be trusted its certificate is not asked for: whether that is good is
 * the business of the check of kind `tls`, and nothing secret is sent to it.
 */
export async function secured(
  socket: net.Socket,
  signal: AbortSignal,
  options: tls.ConnectionOptions = {},
  isTrusted = false,
): Promise<tls.TLSSocket> {
  const secure = tls.connect({ ...options, socket, rejectUnauthorized: isTrusted })
  secure.on('error', () => undefined)
  await once(secure, 'secureConnect', { signal })
  return secure
}

/** Exactly `count` bytes; rejects when the connection ends before. */
export async function readBytes(socket: net.Socket, count: number): Promise<Buffer> {
  if (count === 0) return Buffer.alloc(0)
  for (;;) {
    const chunk = socket.read(count) as Buffer | null
    if (chunk?.length === count) return chunk
    if (chunk || socket.readableEnded || socket.destroyed)
      throw socket.errored ?? new PeerFailure('the connection was closed in the middle')
    await nextChange(socket)
  }
}

function nextChange(socket: net.Socket): Promise<void> {
  return new Promise((resolve) => {
    const events = ['readable', 'end', 'error', 'close'] as const
    const settle = () => {
      for (const event of events) socket.off(event, settle)
      resolve()
    }
    for (const event of events) socket.on(event, settle)
  })
}
