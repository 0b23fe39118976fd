import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Refusal } from '../guards/gate.ts'

/** Answers a request that no instance gets. A body that nobody reads would be taken for a next request: it ends here. */
export function refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  const text = `${refusal.text}\n`
  response.writeHead(refusal.status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    ...(refusal.retryAfterSeconds === undefined ? {} : { 'retry-after': String(refusal.retryAfterSeconds) }),
    ...(request.complete ? {} : { connection: 'close' }),
  })
  response.end(request.method === 'HEAD' ? undefined : text)
}

/** The same on a connection that has left HTTP's hands. */
export function refuseUpgrade(socket: Duplex, refusal: Refusal): void {
  const text = `${refusal.text}\n`
  const retry = refusal.retryAfterSeconds === undefined ? '' : `retry-after: ${refusal.retryAfterSeconds}\r\n`
  socket.end(
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ''}\r\nconnection: close\r\n${retry}` +
      `content-type: text/plain; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  )
}
