import type { Channel, Channels } from '../../contract/index.ts'

/** Opens both channels to the server this page came from. Rejects with a sentence that says why it could not. */
export async function openWebsocketChannels(origin: string): Promise<Channels> {
  const base = origin.replace(/^http/, 'ws')
  const opening = [
    openChannel<Uint8Array>(`${base}/api/live`),
    openChannel<string | Uint8Array>(`${base}/api/calls`),
  ] as const
  try {
    const [live, calls] = await Promise.all(opening)
    return { live, calls }
  } catch {
    for (const channel of opening) channel.then((opened) => opened.close()).catch(() => undefined)
    throw new Error(await reasonOf(origin))
  }
}

/** A socket does not tell why it was refused; a request to the same door does. */
async function reasonOf(origin: string): Promise<string> {
  try {
    const { status } = await fetch(`${origin}/api/openapi.json`, { method: 'HEAD' })
    if (status === 401) {
      return 'it was started with another access token: open the address that it printed'
    }
    return `the server answers, but refuses the connection (${status})`
  } catch {
    return 'nothing answers there'
  }
}

function openChannel<Message extends string | Uint8Array>(url: string): Promise<Channel<Message>> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url)
    socket.binaryType = 'arraybuffer'
    let receiver: ((message: Message) => void) | undefined
    const early: Message[] = []
    let closeListeners: (() => void)[] = []
    // Told at once when this side closes: a peer that hangs would never answer the closing.
    const shut = () => {
      const listeners = closeListeners
      closeListeners = []
      for (const closed of listeners) closed()
    }
    socket.addEventListener('message', ({ data }: MessageEvent<string | ArrayBuffer>) => {
      const message = (typeof data === 'string' ? data : new Uint8Array(data)) as Message
      if (receiver) receiver(message)
      else early.push(message)
    })
    socket.addEventListener('close', () => {
      reject(new Error('the socket was closed'))
      shut()
    })
    socket.addEventListener('open', () =>
      resolve({
        send: (message) => {
          if (socket.readyState === WebSocket.OPEN) socket.send(message as string)
        },
        onMessage: (receive) => {
          receiver = receive
          for (const message of early.splice(0)) receive(message)
        },
        onClose: (closed) => {
          if (socket.readyState === WebSocket.CLOSED) closed()
          else closeListeners.push(closed)
        },
        close: () => {
          socket.close()
          shut()
        },
      }),
    )
  })
}
