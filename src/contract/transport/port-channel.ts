import type { Channel } from './channel.ts'

/** What Node's MessagePort and Electron's MessagePortMain have in common. */
export interface PortLike {
  postMessage(message: unknown): void
  on(event: 'message', listener: (message: unknown) => void): unknown
  on(event: 'close', listener: () => void): unknown
  start?(): void
  close(): void
}

/**
 * A MessagePort of this process as a channel. Electron wraps messages in an event, Node does not. A port carries
 * anything that can be cloned, a channel only text and bytes: a peer that sends something else is cut off.
 */
export function portChannel<Message extends string | Uint8Array>(port: PortLike): Channel<Message> {
  let isClosed = false
  const closeListeners: (() => void)[] = []
  const shut = () => {
    if (isClosed) return
    isClosed = true
    for (const closed of closeListeners.splice(0)) closed()
  }
  const close = () => {
    port.close()
    shut()
  }
  port.on('close', shut)
  return {
    send: (message) => {
      if (!isClosed) port.postMessage(message)
    },
    onMessage: (receive) => {
      port.on('message', (received) => {
        if (isClosed) return
        const message = unwrap(received)
        if (typeof message === 'string' || message instanceof Uint8Array) receive(message as Message)
        else close()
      })
      port.start?.()
    },
    onClose: (closed) => {
      if (isClosed) closed()
      else closeListeners.push(closed)
    },
    close,
  }
}

function unwrap(received: unknown): unknown {
  const isEvent =
    typeof received === 'object' && received !== null && 'data' in received && !ArrayBuffer.isView(received)
  return isEvent ? received.data : received
}
