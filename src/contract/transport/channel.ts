/** A two-way pipe of messages, the same for MessagePort, WebSocket and one process. */
export interface Channel<Message> {
  send(message: Message): void
  /** At most one receiver; messages before it is set are kept. */
  onMessage(receive: (message: Message) => void): void
  /** Called once, whoever closed. */
  onClose(closed: () => void): void
  close(): void
}

/** Live frames as bytes. */
export type LiveChannel = Channel<Uint8Array>
/** Procedure calls, in oRPC's peer encoding. */
export type CallChannel = Channel<string | Uint8Array>

/** Two ends of one pipe in this process; delivery is asynchronous, as on a real one. */
export function channelPair<Message>(): [Channel<Message>, Channel<Message>] {
  const ends = [makeEnd<Message>(), makeEnd<Message>()] as const
  const link = (mine: End<Message>, other: End<Message>): Channel<Message> => ({
    send: (message) => {
      if (!mine.isClosed) queueMicrotask(() => other.deliver(message))
    },
    onMessage: (receive) => mine.setReceiver(receive),
    onClose: (closed) => mine.closeListeners.push(closed),
    close: () => {
      mine.shut()
      queueMicrotask(() => other.shut())
    },
  })
  return [link(ends[0], ends[1]), link(ends[1], ends[0])]
}

interface End<Message> {
  isClosed: boolean
  closeListeners: (() => void)[]
  deliver(message: Message): void
  setReceiver(receive: (message: Message) => void): void
  shut(): void
}

function makeEnd<Message>(): End<Message> {
  let receiver: ((message: Message) => void) | undefined
  const early: Message[] = []
  const end: End<Message> = {
    isClosed: false,
    closeListeners: [],
    deliver(message) {
      if (end.isClosed) return
      if (receiver) receiver(message)
      else early.push(message)
    },
    setReceiver(receive) {
      receiver = receive
      for (const message of early.splice(0)) receive(message)
    },
    shut() {
      if (end.isClosed) return
      end.isClosed = true
      for (const closed of end.closeListeners.splice(0)) closed()
    },
  }
  return end
}
