import { createORPCClient, ORPCError } from '@orpc/client'
import { StandardRPCLink } from '@orpc/client/standard'
import type { ContractRouterClient } from '@orpc/contract'
import { ClientPeer } from '@orpc/standard-server-peer'
import type { CallChannel } from './channel.ts'
import { columnSerializer } from './column-serializer.ts'
import { errorCatalogue, type ErrorCode } from '../../base/index.ts'
import { maxMessageBytes } from '../live/frames.ts'
import type { Contract, ErrorData } from '../api/index.ts'

export type CallClient = ContractRouterClient<Contract>

/** Procedure calls over one channel. When it closes, every open call fails with UNAVAILABLE. */
export function createCallClient(channel: CallChannel): CallClient {
  let isClosed = false
  const peer = new ClientPeer((message) => {
    // Encoding takes a turn or two, in which the channel may have gone; the answer would never come.
    if (isClosed) throw callError('UNAVAILABLE')
    if (sizeOf(message) > maxMessageBytes) throw callError('TOO_LARGE')
    channel.send(message as string | Uint8Array)
  })
  channel.onMessage((message) => {
    // A message that cannot be read means that the two ends no longer understand each other.
    peer.message(message as Parameters<typeof peer.message>[0]).catch(() => channel.close())
  })
  channel.onClose(() => {
    isClosed = true
    peer.close({ reason: callError('UNAVAILABLE') })
  })
  const link = new StandardRPCLink(
    {
      call: async (request) => {
        const response = await peer.request(request)
        return { ...response, body: () => Promise.resolve(response.body) }
      },
    },
    { url: 'pilothouse://engine/', customJsonSerializers: [columnSerializer] },
  )
  return createORPCClient(link)
}

function sizeOf(message: unknown): number {
  if (typeof message === 'string') return message.length
  return message instanceof ArrayBuffer || ArrayBuffer.isView(message) ? message.byteLength : 0
}

/** The connection of a page comes back without a person's help. */
const reconnects = 'This page reconnects automatically. Try again once it is connected.'

/** A failure of the catalogue that arose on this side of the wire. */
export function callError(code: ErrorCode): ORPCError<ErrorCode, ErrorData> {
  const { status, title, action, retryable } = errorCatalogue[code]
  const isAway = code === 'UNAVAILABLE'
  return new ORPCError(code, {
    status,
    message: title,
    data: { retryable, action: isAway ? reconnects : action, correlationId: '', details: {} },
  })
}
