import type { WebSocket } from 'ws'
import { connectionLimits, hasRoom } from './connection-limits.ts'
import type { Channel } from '../../contract/index.ts'

/**
 * A WebSocket of the server side as a channel. Text stays text, binary becomes a Uint8Array. It closes instead of sending
 * when more than `queuedBytes` wait to be read at the other end.
 */
export function websocketChannel(
  socket: WebSocket,
  { queuedBytes } = connectionLimits,
): Channel<string | Uint8Array> {
  let receiver: ((message: string | Uint8Array) => void) | undefined
  const early: (string | Uint8Array)[] = []
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    // Nothing more is done for a peer that is being closed.
    if (socket.readyState !== socket.OPEN) return
    const message = isBinary ? new Uint8Array(data) : data.toString('utf8')
    if (receiver) receiver(message)
    else early.push(message)
  })
  // A broken peer shows as close; without a listener its error would end the process.
  socket.on('error', () => socket.terminate())
  return {
    send: (message) => {
      if (socket.readyState === socket.OPEN && hasRoom(socket, queuedBytes)) socket.send(message)
    },
    onMessage: (receive) => {
      receiver = receive
      for (const message of early.splice(0)) receive(message)
    },
    onClose: (closed) => void socket.once('close', closed),
    close: () => socket.close(),
  }
}
