import { OpenAPIHandler } from '@orpc/openapi/fastify'
import { ORPCError } from '@orpc/server'
import { createServerPeerHandleRequestFn } from '@orpc/server/standard-peer'
import { StandardRPCHandler } from '@orpc/server/standard'
import { ServerPeer } from '@orpc/standard-server-peer'
import { AppError, messageOf, type Log } from '../../base/index.ts'
import {
  columnSerializer,
  errorCatalogue,
  maxMessageBytes,
  type CallChannel,
  type ErrorCode,
  type ErrorData,
} from '../../contract/index.ts'
import { correlationId, withCorrelation } from '../../engine/core/index.ts'
import { inputIssues, issueText, type ApiRouter } from '../../engine/api/index.ts'
import type { CallContext } from '../../engine/identity/index.ts'

/** Calls under way at a time on one channel. */
const maxOpenCalls = 500

/** Serves the procedure table over channels (MessagePort, WebSocket, one process) and over HTTP. */
export class CallServer {
  #rpc: StandardRPCHandler<CallContext>
  readonly openApi: OpenAPIHandler<CallContext>

  constructor(router: ApiRouter, log: Log) {
    const interceptors = [
      <T>({ next, request }: { next: () => Promise<T>; request: { url: URL } }): Promise<T> =>
        withCorrelation(undefined, async () => {
          try {
            return await next()
          } catch (failure) {
            throw toWireError(failure, request.url.pathname, log)
          }
        }),
    ]
    this.#rpc = new StandardRPCHandler(router, { interceptors, customJsonSerializers: [columnSerializer] })
    this.openApi = new OpenAPIHandler(router, {
      interceptors,
      customJsonSerializers: [
        {
          condition: (value) => value instanceof Float64Array,
          serialize: (value: Float64Array) => Array.from(value, (x) => (Number.isFinite(x) ? x : null)),
        },
      ],
      customErrorResponseBodyEncoder: (error) => ({
        code: error.code as string,
        message: error.message,
        ...(error.data as object),
      }),
    })
  }

  /**
   * Answers the calls that arrive on `channel` until it closes; closes it when it carries anything else, or more calls at a
   * time than any client of ours makes.
   */
  serve(channel: CallChannel, context: CallContext): void {
    const peer = new ServerPeer((message) => channel.send(message as string | Uint8Array))
    const handle = createServerPeerHandleRequestFn(this.#rpc, { context })
    let open = 0
    channel.onMessage((message) => {
      const size = typeof message === 'string' ? message.length : message.byteLength
      if (size > maxMessageBytes || open >= maxOpenCalls) {
        channel.close()
        return
      }
      open++
      peer
        .message(message as Parameters<typeof peer.message>[0], handle)
        .catch(() => channel.close())
        .finally(() => open--)
    })
    channel.onClose(() => peer.close())
  }
}

/** Any failure as one of the catalogue; what is not in it is a defect, logged in full and told without its text. */
function toWireError(failure: unknown, path: string, log: Log): ORPCError<ErrorCode, ErrorData> {
  if (failure instanceof ORPCError && failure.code === 'BAD_REQUEST') {
    const issues = inputIssues(failure as { data: unknown })
    const where = issues[0] ? issueText(issues[0]) : failure.message
    return wireError('BAD_INPUT', where, { details: { issues } })
  }
  if (failure instanceof ORPCError && failure.code in errorCatalogue) {
    return wireError(failure.code as ErrorCode, failure.message, {})
  }
  if (failure instanceof AppError) return wireError(failure.code, failure.message, failure)
  log.error('a call failed because of a bug', { path, error: messageOf(failure), stack: stackOf(failure) })
  return wireError('INTERNAL', errorCatalogue.INTERNAL.title, {})
}

function wireError(
  code: ErrorCode,
  message: string,
  {
    details = {},
    retryable,
    remedy,
  }: { details?: Record<string, unknown>; retryable?: boolean; remedy?: string },
): ORPCError<ErrorCode, ErrorData> {
  const entry = errorCatalogue[code]
  return new ORPCError(code, {
    defined: true,
    status: entry.status,
    message,
    data: {
      retryable: retryable ?? entry.retryable,
      action: remedy ?? entry.action,
      correlationId: correlationId() ?? '',
      details,
    },
  })
}

const stackOf = (failure: unknown): string => (failure instanceof Error ? (failure.stack ?? '') : '')
