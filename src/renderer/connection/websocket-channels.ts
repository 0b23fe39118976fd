import { socketProtocols, type Channel, type Channels } from '../../contract/index.ts'
import { insecureText, type BrowserSession, type ProofFailure } from './browser-session.svelte.ts'

/** Opens both channels to the server this page came from. Rejects with a sentence that says why it could not. */
export async function openWebsocketChannels(origin: string, session: BrowserSession): Promise<Channels> {
  const proof = await proofOf(session)
  const base = origin.replace(/^http/, 'ws')
  const opening = [
    openChannel<Uint8Array>(`${base}/api/live`, proof),
    openChannel<string | Uint8Array>(`${base}/api/calls`, proof),
  ] as const
  try {
    const [live, calls] = await Promise.all(opening)
    return { live, calls }
  } catch {
    for (const channel of opening) channel.then((opened) => opened.close()).catch(() => undefined)
    // A socket does not tell why it was refused. Whoever has ended since says so to this.
    await proofOf(session)
    throw new Error(reasons.refused)
  }
}

const reasons: Record<ProofFailure, string> = {
  ended: 'the session of this page has ended',
  unreachable: 'no response',
  refused: 'the server answers, but refuses the connection',
  stranger: 'another program answers at this address',
  insecure: insecureText,
}

async function proofOf(session: BrowserSession): Promise<string> {
  const proven = await session.prove()
  if ('failure' in proven) throw new Error(reasons[proven.failure])
  return proven.proof
}

function openChannel<Message extends string | Uint8Array>(
  url: string,
  proof: string,
): Promise<Channel<Message>> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, socketProtocols(proof))
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
