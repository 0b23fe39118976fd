import type { Channel } from '../../contract/index.ts'

/** What Node's MessagePort and Electron's MessagePortMain have in common. */
export interface PortLike {
  postMessage(message: unknown): void
  on(event: 'message', listener: (message: unknown) => void): unknown
  on(event: 'close', listener: () => void): unknown
  start?(): void
  close(): void
}

/** A MessagePort of this process as a channel; Electron wraps its messages in an event, Node does not. */
export function portChannel<Message>(port: PortLike): Channel<Message> {
  let isClosed = false
  const closeListeners: (() => void)[] = []
  const shut = () => {
    if (isClosed) return
    isClosed = true
    for (const closed of closeListeners) closed()
  }
  port.on('close', shut)
  return {
    send: (message) => {
      if (!isClosed) port.postMessage(message)
    },
    onMessage: (receive) => {
      port.on('message', (received) => receive(unwrap(received) as Message))
      port.start?.()
    },
    onClose: (closed) => closeListeners.push(closed),
    close: () => {
      port.close()
      shut()
    },
  }
}

function unwrap(received: unknown): unknown {
  const isEvent =
    typeof received === 'object' && received !== null && 'data' in received && !ArrayBuffer.isView(received)
  return isEvent ? received.data : received
}
