import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError, messageOf, type Log } from '../../base/index.ts'
import { errorCatalogue, type ErrorCode } from '../../contract/index.ts'

/**
 * The URL of a request as routes take it. A path whose percent-encoding means nothing is taken letter for letter, so that
 * it is refused like any other that does not exist: by the same guards and limits, in the same form.
 */
export function routableUrl(url: string): string {
  const [path = '/'] = url.split(/[?#]/, 1)
  try {
    decodeURI(path)
    return url
  } catch {
    return path.replaceAll('%', '%25') + url.slice(path.length)
  }
}

/** What runs before a body is read, and may answer the request itself. */
export type Hook = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

/** Path of the request, without its query. */
export const pathOf = (request: FastifyRequest): string => request.url.split('?', 1)[0] ?? '/'

/** Answers a request that `checkAccess` or `checkSite` does not allow; `answer` is theirs. */
export function refuse(reply: FastifyReply, answer: string, request: FastifyRequest): FastifyReply {
  if (answer === 'no-token') return sendError(reply, 'UNAUTHENTICATED', errorCatalogue.UNAUTHENTICATED.title)
  const what =
    answer === 'wrong-host' ? `Host "${request.headers.host}"` : `Origin "${request.headers.origin}"`
  return sendError(
    reply,
    'FORBIDDEN',
    `${what} is not one of this server's.`,
    'Use the address that the server printed, or add this one to server.allowedOrigins.',
  )
}

/** Code of the contract for what a handler or Fastify threw. A defect is logged. */
export function codeOf(
  failure: { statusCode?: number } & Error,
  log: Log,
  request: FastifyRequest,
): ErrorCode {
  if (failure instanceof AppError) return failure.code
  if (failure.statusCode === 413) return 'TOO_LARGE'
  if (failure.statusCode !== undefined && failure.statusCode < 500) return 'BAD_INPUT'
  log.error('a request failed by a defect', { path: pathOf(request), error: messageOf(failure) })
  return 'INTERNAL'
}

/** The message that a client may see: a defect's own stays in the log. */
export function messageFor(failure: { statusCode?: number } & Error): string {
  const isOurs = failure instanceof AppError || (failure.statusCode ?? 500) < 500
  return isOurs ? failure.message : errorCatalogue.INTERNAL.title
}

/** The one form of an error. Notes it for the audit log. */
export function sendError(
  reply: FastifyReply,
  code: ErrorCode,
  message: string,
  remedy: string = errorCatalogue[code].action,
): FastifyReply {
  const { status, retryable } = errorCatalogue[code]
  reply.request.setDecorator('refusal', { code, text: message })
  return reply.code(status).send({ code, message, action: remedy, retryable })
}

/** Answers what cannot be read as a request, in the same form. The connection ends with it. */
export function refuseConnection(failure: Error & { code?: string }, socket: Socket): void {
  if (failure.code === 'ECONNRESET' || socket.destroyed) return
  const [status, message] = unreadable[failure.code ?? ''] ?? [400, 'This is not an HTTP request.']
  const { action, retryable } = errorCatalogue.BAD_INPUT
  const body = JSON.stringify({ code: 'BAD_INPUT', message, action, retryable })
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
  socket.destroy(failure)
}

const unreadable: Readonly<Record<string, [status: number, message: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'The head of the request is larger than 16 KiB.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not arrive in time.'],
}
