import { MessageChannel } from 'node:worker_threads'
import { WebSocket } from 'ws'
import { silentLog } from '../../src/base/index.ts'
import {
  CallServer,
  portChannel,
  serveLive,
  Sessions,
  startHttpServer,
  websocketChannel,
} from '../../src/adapters/transports/index.ts'
import { systemClock, systemRng } from '../../src/adapters/system/index.ts'
import {
  channelPair,
  operator,
  type CallChannel,
  type Channels,
  type LiveChannel,
  type Role,
} from '../../src/contract/index.ts'
import type { Engine } from '../../src/engine/index.ts'
import { fileURLToPath } from 'node:url'

/** An engine made reachable by one transport; `open` connects one more consumer. */
export interface Reach extends AsyncDisposable {
  open(): Promise<Channels>
}

interface Transport {
  name: string
  reach: (engine: Engine, role?: Role) => Promise<Reach>
}

const liveOptions = ({ live, feed, parts, epoch }: Engine) => ({
  store: live,
  feed,
  clock: parts.clock,
  epoch,
  version: parts.version,
})

const inProcess: Transport = {
  name: 'in-process',
  reach: async (engine, role = 'admin') => {
    const server = new CallServer(engine.router, silentLog)
    const opened: Channels[] = []
    return {
      open: async () => {
        const [live, liveEnd] = channelPair<Uint8Array>()
        const [calls, callsEnd] = channelPair<string | Uint8Array>()
        const principal = operator('test', role)
        serveLive(liveEnd, liveOptions(engine), principal)
        server.serve(callsEnd, { principal })
        opened.push({ live, calls })
        return { live, calls }
      },
      [Symbol.asyncDispose]: async () => closeAll(opened),
    }
  },
}

const messagePort: Transport = {
  name: 'MessagePort',
  reach: async (engine, role = 'admin') => {
    const server = new CallServer(engine.router, silentLog)
    const opened: Channels[] = []
    return {
      open: async () => {
        const live = new MessageChannel()
        const calls = new MessageChannel()
        const principal = operator('test', role)
        serveLive(portChannel(live.port1), liveOptions(engine), principal)
        server.serve(portChannel(calls.port1), { principal })
        const channels: Channels = { live: portChannel(live.port2), calls: portChannel(calls.port2) }
        opened.push(channels)
        return channels
      },
      [Symbol.asyncDispose]: async () => closeAll(opened),
    }
  },
}

const websocket: Transport = {
  name: 'WebSocket',
  reach: async (engine, role = 'admin') => {
    const http = await startHttpServer({
      address: '127.0.0.1',
      port: 0,
      token: 'test-token',
      sessions: new Sessions({ clock: systemClock(), rng: systemRng() }),
      allowedHosts: [],
      screens: fileURLToPath(new URL('../../src/renderer', import.meta.url)),
      version: engine.parts.version,
      calls: new CallServer(engine.router, silentLog),
      live: liveOptions(engine),
      context: { principal: operator('test', role) },
      health: {
        readiness: () => ({ ready: true, body: {} }),
        liveness: () => ({ status: 'alive' }),
        metricsJson: () => ({}),
        metricsText: () => Promise.resolve({ contentType: 'text/plain', body: '' }),
      },
      refused: (refusal) => void engine.noteRefusal(refusal),
      log: silentLog,
    })
    return {
      open: async () => {
        const [live, calls] = await Promise.all([connect(http.port, 'live'), connect(http.port, 'calls')])
        return { live: live as LiveChannel, calls: calls as CallChannel }
      },
      [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
    }
  },
}

function connect(port: number, path: string) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/api/${path}`, {
      headers: { authorization: 'Bearer test-token' },
    })
    const channel = websocketChannel(socket)
    socket.once('open', () => resolve(channel))
    socket.once('error', reject)
  })
}

function closeAll(opened: Channels[]): void {
  for (const { live, calls } of opened) {
    live.close()
    calls.close()
  }
}

export const transports = [inProcess, messagePort, websocket]
