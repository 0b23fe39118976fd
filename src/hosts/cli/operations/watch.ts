import { WebSocket } from 'ws'
import { AppError, type Clock, type Rng } from '../../../base/index.ts'
import { websocketChannel } from '../../../adapters/transports/index.ts'
import { Connection, type Channels, type Deployment, type LiveChannel } from '../../../contract/index.ts'
import { requireSameEngine, type EngineAddress } from './engine.ts'

export interface WatchOptions {
  id: string
  /** Asked before each attempt to connect: an engine that restarts may have another address. */
  address: () => Promise<EngineAddress>
  clock: Clock
  rng: Rng
  /** Ends the watch; it rejects with the reason. */
  signal: AbortSignal
  /** The newest state, each time it changed. */
  onChange: (deployment: Deployment) => void
  /** The engine cannot be reached for now; it is tried again. */
  onLost: (reason: string) => void
}

/** How long an engine may be away before a watcher gives up, ms. */
const patienceMs = 120_000

/**
 * Follows one deployment over the live channel, across restarts of the engine, until `isOver` says so of its state.
 * Rejects with UNAVAILABLE when the engine stays away, and NOT_FOUND when it knows no such deployment any more.
 */
export function watchDeployment(
  options: WatchOptions,
  isOver: (deployment: Deployment) => boolean,
): Promise<Deployment> {
  const { id, clock, rng, signal } = options
  return new Promise((resolve, reject) => {
    let seen: Deployment | undefined
    let patience: Disposable | undefined
    const end = (then: () => void) => {
      patience?.[Symbol.dispose]()
      connection.close()
      then()
    }
    const connection = new Connection({
      open: async () => channelsTo(await options.address()),
      nowMs: () => clock.nowMs(),
      random: () => rng.next(),
      after: (delayMs, run) => {
        const timer = clock.after(delayMs, run)
        return () => timer[Symbol.dispose]()
      },
      listener: {
        greeted: () => undefined,
        samples: () => undefined,
        heard: () => undefined,
        refused: (_code, message) => end(() => reject(new AppError('UNSUPPORTED', message))),
        state: (state) => {
          if (state.kind === 'open') {
            patience?.[Symbol.dispose]()
            patience = undefined
          }
          if (state.kind !== 'waiting') return
          if (!patience) options.onLost(state.reason)
          patience ??= clock.after(patienceMs, () =>
            end(() => reject(new AppError('UNAVAILABLE', `No connection to the engine: ${state.reason}.`))),
          )
        },
        changed: (records) => {
          const deployment = records[`deployment:${id}`]
          if (!deployment) {
            if (seen)
              end(() => reject(new AppError('NOT_FOUND', `The engine no longer shows deployment ${id}.`)))
            return
          }
          if (seen?.revision === deployment.revision && seen.judgement?.text === deployment.judgement?.text)
            return
          seen = deployment
          options.onChange(deployment)
          if (isOver(deployment)) end(() => resolve(deployment))
        },
      },
    })
    signal.addEventListener('abort', () => end(() => reject(signal.reason as Error)), { once: true })
    connection.start()
  })
}

async function channelsTo(address: EngineAddress): Promise<Channels> {
  const { url, token } = address
  await requireSameEngine(address)
  const open = (path: string) =>
    new Promise<WebSocket>((resolve, reject) => {
      const socket = new WebSocket(url.replace(/^http/, 'ws') + path, {
        headers: { authorization: `Bearer ${token}` },
      })
      socket.once('open', () => resolve(socket))
      socket.once('error', (failure) => reject(new Error('the engine is not answering', { cause: failure })))
    })
  const [live, calls] = await Promise.all([open('/api/live'), open('/api/calls')])
  return { live: websocketChannel(live) as LiveChannel, calls: websocketChannel(calls) }
}
