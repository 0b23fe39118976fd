import {
  enginePortsMessage,
  type Channel,
  type Channels,
  type DesktopApi,
  type EngineProcessState,
} from '../../contract/index.ts'

/** The shell answers at once; ports that do not follow were lost with the engine's process. */
const portsWithinMs = 5000

/** Opens both channels to the desktop's own engine. Rejects with a sentence while there is none. */
export async function openPortChannels(api: DesktopApi): Promise<Channels> {
  const arrivals = listenForPorts()
  try {
    const request = await api.connectEngine()
    const [live, calls] = await arrivals.of(request)
    return { live: portChannel(live, api), calls: portChannel(calls, api) }
  } finally {
    arrivals.stop()
  }
}

type Ports = [live: MessagePort, calls: MessagePort]

/** Ports may come before the answer that names them, so listening starts first. */
function listenForPorts() {
  const arrived = new Map<unknown, Ports>()
  const waiting = new Map<unknown, (ports: Ports) => void>()
  const receive = ({ source, data, ports }: MessageEvent<{ kind?: unknown; request?: unknown } | null>) => {
    const [live, calls] = ports
    if (source !== window || data?.kind !== enginePortsMessage || !live || !calls) return
    arrived.set(data.request, [live, calls])
    waiting.get(data.request)?.([live, calls])
  }
  window.addEventListener('message', receive)
  return {
    of: (request: number): Promise<Ports> =>
      new Promise((resolve, reject) => {
        const ports = arrived.get(request)
        if (ports) {
          resolve(ports)
          return
        }
        const timer = setTimeout(() => reject(new Error('the engine did not answer')), portsWithinMs)
        waiting.set(request, (late) => {
          clearTimeout(timer)
          resolve(late)
        })
      }),
    stop: () => window.removeEventListener('message', receive),
  }
}

/** A port of the page as a channel. It ends with either side, and at the latest when the shell says so. */
function portChannel<Message extends string | Uint8Array>(
  port: MessagePort,
  api: DesktopApi,
): Channel<Message> {
  let isClosed = false
  const closeListeners: (() => void)[] = []
  const shut = () => {
    if (isClosed) return
    isClosed = true
    stopWatching()
    port.close()
    for (const closed of closeListeners.splice(0)) closed()
  }
  // Ports tell of a peer's death late or not at all; the shell knows at once.
  const stopWatching = api.onEngineState(({ kind }: EngineProcessState) => {
    if (kind !== 'running') shut()
  })
  port.addEventListener('close', shut)
  return {
    send: (message) => {
      if (!isClosed) port.postMessage(message)
    },
    onMessage: (receive) => {
      port.addEventListener('message', ({ data }: MessageEvent<Message>) => {
        if (!isClosed) receive(data)
      })
      port.start()
    },
    onClose: (closed) => {
      if (isClosed) closed()
      else closeListeners.push(closed)
    },
    close: shut,
  }
}
