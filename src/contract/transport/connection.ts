import { backoffMs } from '../../base/index.ts'
import { createCallClient, callError, type CallClient } from './call-client.ts'
import type { CallChannel, LiveChannel } from './channel.ts'
import { LiveClient, type LiveListener } from '../live/live-client.ts'
import type { LivePattern } from '../live/record-keys.ts'
import type { ClientFrame } from '../live/records.ts'

/** The two channels of one engine. Calls have their own, so that they never wait behind the metric stream. */
export interface Channels {
  live: LiveChannel
  calls: CallChannel
}

export type ConnectionState =
  | { kind: 'connecting'; attempt: number }
  | { kind: 'open' }
  /** Lost or refused; the next attempt starts at `retryAtMs` of the given clock. */
  | { kind: 'waiting'; attempt: number; retryAtMs: number; reason: string }
  | { kind: 'closed' }

export interface ConnectionOptions {
  /** Opens both channels, or rejects with a sentence for a person. */
  open(): Promise<Channels>
  listener: LiveListener & { state(state: ConnectionState): void }
  nowMs(): number
  /** Calls `run` after the delay; the result cancels. */
  after(delayMs: number, run: () => void): () => void
  /** Uniform in [0, 1). */
  random(): number
}

const firstDelayMs = 250
const longestDelayMs = 10_000
/** An attempt that leads to nothing in this time has failed. */
const openWithinMs = 10_000
/**
 * The engine speaks each second. One that is silent for this long is gone, though the channel may not know: after
 * sleep, a pulled cable, a process that hangs.
 */
const silenceMs = 15_000

/**
 * Delay before attempt `attempt` (1, 2, ...): doubles up to 10 s, each drawn from its upper half, so that many
 * consumers of one engine do not come back in step.
 */
export function reconnectDelayMs(attempt: number, random: number): number {
  return backoffMs(attempt, { firstMs: firstDelayMs, longestMs: longestDelayMs }, random)
}

/** A connection to an engine that heals itself: reconnects with backoff and restores the chosen stream. */
export class Connection {
  #options: ConnectionOptions
  #state: ConnectionState = { kind: 'closed' }
  #channels: Channels | undefined
  #live: LiveClient | undefined
  #calls: CallClient | undefined
  #stream: Extract<ClientFrame, { kind: 'stream' }>['hosts'] = []
  #chosen: readonly LivePattern[] | null = null
  #attempt = 0
  #cancelRetry: () => void = () => undefined
  #cancelSilence: () => void = () => undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  get state(): ConnectionState {
    return this.#state
  }

  /** The client of the present connection; throws UNAVAILABLE while there is none. */
  get calls(): CallClient {
    if (!this.#calls) throw callError('UNAVAILABLE')
    return this.#calls
  }

  start(): void {
    if (this.#state.kind === 'closed') void this.#connect()
  }

  /** Tries at once instead of at the end of the delay, e.g. when the machine woke up. */
  retryNow(): void {
    if (this.#state.kind !== 'waiting') return
    this.#cancelRetry()
    void this.#connect()
  }

  stream(hosts: Extract<ClientFrame, { kind: 'stream' }>['hosts']): void {
    this.#stream = hosts
    this.#live?.stream(hosts)
  }

  /** Which records to have, on this connection and those after it; all until the first choice. */
  subscribe(records: readonly LivePattern[]): void {
    this.#chosen = records
    this.#live?.subscribe(records)
  }

  close(): void {
    this.#cancelRetry()
    this.#setState({ kind: 'closed' })
    this.#drop()
  }

  async #connect(): Promise<void> {
    this.#attempt += 1
    this.#setState({ kind: 'connecting', attempt: this.#attempt })
    let channels: Channels
    try {
      channels = await this.#openInTime()
    } catch (failure) {
      this.#retryLater(failure instanceof Error ? failure.message : String(failure))
      return
    }
    if (this.#isClosed()) {
      channels.live.close()
      channels.calls.close()
      return
    }
    this.#channels = channels
    const lose = (reason: string) => {
      if (this.#channels !== channels) return
      this.#drop()
      if (!this.#isClosed()) this.#retryLater(reason)
    }
    // A channel may still deliver what was on its way when it was given up: that is nobody's news.
    const ifHeld =
      <Told extends unknown[]>(tell: (...told: Told) => void) =>
      (...told: Told): void => {
        if (this.#channels === channels) tell(...told)
      }
    const watchSilence = ifHeld(() => {
      this.#cancelSilence()
      this.#cancelSilence = this.#options.after(silenceMs, () => lose('the engine stopped responding'))
    })
    channels.live.onClose(() => lose('the connection was lost'))
    channels.calls.onClose(() => lose('the connection was lost'))
    watchSilence()
    this.#calls = createCallClient(channels.calls)
    const { listener } = this.#options
    this.#live = new LiveClient(channels.live, {
      changed: ifHeld((records) => listener.changed(records)),
      samples: ifHeld((rows) => listener.samples(rows)),
      refused: ifHeld((code, message) => listener.refused(code, message)),
      heard: ifHeld((engineTimeMs) => {
        watchSilence()
        listener.heard(engineTimeMs)
      }),
      greeted: ifHeld((hello) => {
        this.#attempt = 0
        this.#setState({ kind: 'open' })
        listener.greeted(hello)
        this.#live?.stream(this.#stream)
        if (this.#chosen) this.#live?.subscribe(this.#chosen)
      }),
    })
  }

  #isClosed(): boolean {
    return this.#state.kind === 'closed'
  }

  /** The channels, or a rejection in time; channels that come too late are closed. */
  #openInTime(): Promise<Channels> {
    return new Promise((resolve, reject) => {
      let isLate = false
      const cancel = this.#options.after(openWithinMs, () => {
        isLate = true
        reject(new Error('the engine did not answer'))
      })
      this.#options
        .open()
        .finally(cancel)
        .then((channels) => {
          if (!isLate) return resolve(channels)
          channels.live.close()
          channels.calls.close()
        })
        .catch(reject)
    })
  }

  #drop(): void {
    this.#cancelSilence()
    const channels = this.#channels
    this.#channels = undefined
    this.#calls = undefined
    this.#live = undefined
    channels?.live.close()
    channels?.calls.close()
  }

  #retryLater(reason: string): void {
    if (this.#isClosed()) return
    const delayMs = reconnectDelayMs(this.#attempt, this.#options.random())
    this.#setState({
      kind: 'waiting',
      attempt: this.#attempt,
      retryAtMs: this.#options.nowMs() + delayMs,
      reason,
    })
    this.#cancelRetry = this.#options.after(delayMs, () => void this.#connect())
  }

  #setState(state: ConnectionState): void {
    this.#state = state
    this.#options.listener.state(state)
  }
}
