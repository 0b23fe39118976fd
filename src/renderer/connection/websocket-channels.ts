import { socketProtocols, type Channel, type Channels } from '../../contract/index.ts'
import type { BrowserSession } from './browser-session.svelte.ts'

/** Opens both channels to the server this page came from. Rejects with a sentence that says why it could not. */
export async function openWebsocketChannels(origin: string, session: BrowserSession): Promise<Channels> {
  const { token } = session
  if (token === null) throw new Error('this page is not signed in')
  const base = origin.replace(/^http/, 'ws')
  const opening = [
    openChannel<Uint8Array>(`${base}/api/live`, token),
    openChannel<string | Uint8Array>(`${base}/api/calls`, token),
  ] as const
  try {
    const [live, calls] = await Promise.all(opening)
    return { live, calls }
  } catch {
    for (const channel of opening) channel.then((opened) => opened.close()).catch(() => undefined)
    throw new Error(await reasonOf(session))
  }
}

/** A socket does not tell why it was refused; a request to the same door does. */
async function reasonOf(session: BrowserSession): Promise<string> {
  switch (await session.check()) {
    case 'valid':
      return 'the server answers, but refuses the connection'
    case 'ended':
      return 'the session of this page has ended'
    case 'unreachable':
      return 'no response'
  }
}

function openChannel<Message extends string | Uint8Array>(
  url: string,
  session: string,
): Promise<Channel<Message>> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, socketProtocols(session))
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
