import type { Channel, Channels } from '../../contract/index.ts'

/** Opens both channels to the server this page came from. */
export async function openWebsocketChannels(origin: string): Promise<Channels> {
  const base = origin.replace(/^http/, 'ws')
  const [live, calls] = await Promise.all([
    openChannel<Uint8Array>(`${base}/api/live`),
    openChannel<string | Uint8Array>(`${base}/api/calls`),
  ])
  return { live, calls }
}

function openChannel<Message extends string | Uint8Array>(url: string): Promise<Channel<Message>> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url)
    socket.binaryType = 'arraybuffer'
    let receiver: ((message: Message) => void) | undefined
    const early: Message[] = []
    socket.addEventListener('message', ({ data }: MessageEvent<string | ArrayBuffer>) => {
      const message = (typeof data === 'string' ? data : new Uint8Array(data)) as Message
      if (receiver) receiver(message)
      else early.push(message)
    })
    socket.addEventListener('close', () => reject(new Error('the engine cannot be reached')))
    socket.addEventListener('open', () =>
      resolve({
        send: (message) => {
          if (socket.readyState === WebSocket.OPEN) socket.send(message as string)
        },
        onMessage: (receive) => {
          receiver = receive
          for (const message of early.splice(0)) receive(message)
        },
        onClose: (closed) => socket.addEventListener('close', closed, { once: true }),
        close: () => socket.close(),
      }),
    )
  })
}
