import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError, messageOf, type Log } from '../../base/index.ts'
import { errorCatalogue, type ErrorCode } from '../../contract/index.ts'

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

/** A connection is not kept for the rest of what was refused already. */
function closeUnlessComplete({ raw }: FastifyRequest, reply: FastifyReply): void {
  reply.raw.once('finish', () =>
    // The end of a body that came with the head is told after the response has been written.
    setImmediate(() => {
      if (!raw.complete) raw.destroy()
    }),
  )
}

/** The one form of an error. Notes it for the audit log, and closes the connection if its body is still on the way. */
export function sendError(
  reply: FastifyReply,
  code: ErrorCode,
  message: string,
  remedy: string = errorCatalogue[code].action,
): FastifyReply {
  const { status, retryable } = errorCatalogue[code]
  reply.request.setDecorator('refusal', { code, text: message })
  closeUnlessComplete(reply.request, reply)
  return reply.code(status).send({ code, message, action: remedy, retryable })
}
