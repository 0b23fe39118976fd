import { request as connect, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { requestHeaders } from './headers.ts'
import type { AttemptEnd } from '../guards/breaker.ts'
import type { Forwarding } from './forward.ts'
import type { Origin } from './origin.ts'
import { refuseUpgrade } from './refuse.ts'
import type { Destination } from './request-check.ts'
import type { Instance } from '../supervisor/instance.ts'

/**
 * A WebSocket: the handshake is forwarded and counted as a request; after 101 both sides are joined until one ends,
 * nothing moves for too long, or the instance is stopped. Any other answer is handed back and the connection closed,
 * so that nothing can be sent past the proxy on it.
 */
export function tunnel(
  { gate, bins, fleet, limits }: Forwarding,
  request: IncomingMessage,
  client: Duplex,
  head: Buffer,
  to: Destination,
  origin: Origin,
  instance: Instance,
): void {
  const counts = bins.of(instance.releaseId)
  const attempt = counts.begin()
  const era = gate.begin(instance.releaseId)
  instance.begin()
  let isOver = false
  const end = (
    outcome: 'answered' | 'failed' | 'timed_out',
    how: AttemptEnd = outcome === 'answered' ? 'succeeded' : 'failed',
  ) => {
    if (isOver) return
    isOver = true
    counts.end(attempt, outcome)
    gate.end(instance.releaseId, era, how)
    if (how !== 'abandoned') fleet.record5xx(instance, how === 'failed')
    instance.end()
  }
  const upstream = connect({
    host: '127.0.0.1',
    port: instance.port,
    method: request.method,
    path: to.path,
    headers: [
      ...requestHeaders(request, origin, to.host),
      ...['connection', 'upgrade', 'upgrade', String(request.headers.upgrade)],
    ],
    agent: false,
    timeout: limits.answerMs,
  })
  client.on('error', () => upstream.destroy())
  // Nobody reads it before it is joined, and who does not read does not see that the other end has gone.
  const hungUp = () => client.destroy()
  client.once('end', hungUp)
  client.read(0)
  client.on('close', () => {
    upstream.destroy()
    end('answered', 'abandoned')
  })
  upstream.on('timeout', () => {
    upstream.destroy()
    if (isOver) return void client.destroy()
    end('timed_out')
    refuseUpgrade(client, { status: 504, text: 'The service did not answer in time.' })
  })
  upstream.on('error', () => {
    if (isOver) return
    end('failed')
    refuseUpgrade(client, { status: 502, text: 'The service could not be reached, or broke off.' })
  })
  upstream.on('response', (response) => {
    const status = response.statusCode ?? 502
    end(status >= 500 ? 'failed' : 'answered')
    client.write(headOf(response, 'connection: close\r\n'), 'latin1')
    // Nothing else would end it when the instance breaks off.
    response.once('close', () => {
      if (!response.complete) client.destroy()
    })
    response.pipe(client)
  })
  upstream.on('upgrade', (response, socket, rest) => {
    client.off('end', hungUp)
    const held = instance.hold(socket)
    end('answered')
    socket.setTimeout(limits.tunnelIdleMs, () => socket.destroy())
    client.write(
      headOf(response, `connection: upgrade\r\nupgrade: ${response.headers.upgrade ?? ''}\r\n`),
      'latin1',
    )
    if (rest.length > 0) client.write(rest)
    if (head.length > 0) socket.write(head)
    socket.on('error', () => client.destroy())
    socket.on('close', () => {
      held[Symbol.dispose]()
      client.destroy()
    })
    client.on('close', () => socket.destroy())
    socket.pipe(client)
    client.pipe(socket)
  })
  upstream.end()
}

const notPassed = /^(connection|upgrade|keep-alive|transfer-encoding|proxy-.*|trailer)$/i

function headOf(response: IncomingMessage, own: string): string {
  const { rawHeaders, statusCode, statusMessage } = response
  let text = `HTTP/1.1 ${statusCode} ${statusMessage ?? ''}\r\n${own}`
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (!notPassed.test(rawHeaders[i] as string)) text += `${rawHeaders[i]}: ${rawHeaders[i + 1]}\r\n`
  return `${text}\r\n`
}
