import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { GuardRefusal } from '../guards/index.ts'

/** From a refusal on, for the rest of its body. */
const lingerMs = 30_000

/** Of requests that are not what they must be: where they end cannot be trusted either. */
const malformed = new Set([400, 501, 505])

/**
 * Answers a request that no instance gets. What still comes of its body is thrown away: closed under it, its client
 * would lose the answer. Nothing can follow where its end is in doubt, or it waits to be asked for a body.
 */
export function refuse(request: IncomingMessage, response: ServerResponse, refusal: GuardRefusal): void {
  const text = `${refusal.text}\n`
  const isLast = malformed.has(refusal.status) || request.headers.expect !== undefined
  // With its own reason: that of an answer which could not be handed on may stand there, and may be why.
  response.writeHead(refusal.status, STATUS_CODES[refusal.status] ?? '', {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    ...(refusal.retryAfterSeconds === undefined ? {} : { 'retry-after': String(refusal.retryAfterSeconds) }),
    ...(isLast && !request.complete ? { connection: 'close' } : {}),
  })
  response.end(request.method === 'HEAD' ? undefined : text)
  request.resume()
  if (request.complete) return
  const cut = setTimeout(() => request.socket.destroy(), lingerMs)
  request.once('close', () => clearTimeout(cut))
}

/** The same on a connection whose next request cannot be read, or that has left HTTP's hands. It ends with this. */
export function refuseConnection(socket: Duplex, refusal: GuardRefusal): void {
  const text = `${refusal.text}\n`
  const retry = refusal.retryAfterSeconds === undefined ? '' : `retry-after: ${refusal.retryAfterSeconds}\r\n`
  socket.end(
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ''}\r\nconnection: close\r\n${retry}` +
      `content-type: text/plain; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  )
  socket.resume()
  const cut = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => clearTimeout(cut))
}
