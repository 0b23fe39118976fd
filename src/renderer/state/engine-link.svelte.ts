import {
  Connection,
  type CallClient,
  type Channels,
  type ConnectionState,
  type LiveRecords,
  type SampleRows,
} from '../../contract/index.ts'
import type { SampleSource } from './sample-hub.ts'

/** Steps in which the time of the last frame and the difference of the clocks move; the jitter below is the network's. */
const heardStepMs = 500
const offsetStepMs = 100

/**
 * The screens' view of the engine: its records, whether they are live, and their age. One for the whole page.
 */
export class EngineLink {
  #records = $state.raw<Partial<LiveRecords>>({})
  #connection = $state.raw<ConnectionState>({ kind: 'closed' })
  #epoch = $state('')
  #version = $state('')
  #refusal = $state('')
  #lastHeardMs = $state(0)
  #clockOffsetMs = $state(0)
  #sampleListeners: ((rows: SampleRows[]) => void)[] = []
  #openListeners: ((epoch: string) => void)[] = []
  #link: Connection

  constructor(open: () => Promise<Channels>) {
    this.#link = new Connection({
      open,
      nowMs: () => Date.now(),
      random: () => Math.random(),
      after: (delayMs, run) => {
        const timer = setTimeout(run, delayMs)
        return () => clearTimeout(timer)
      },
      listener: {
        state: (state) => (this.#connection = state),
        greeted: ({ epoch, version }) => {
          this.#epoch = epoch
          this.#version = version
          this.#refusal = ''
          for (const listener of this.#openListeners) listener(epoch)
        },
        changed: (records) => (this.#records = records),
        samples: (rows) => {
          for (const listener of this.#sampleListeners) listener(rows)
        },
        heard: (engineTimeMs) => {
          // Frames come many times a second; what depends on these is computed again only where it matters.
          const nowMs = Date.now()
          if (Math.abs(nowMs - this.#lastHeardMs) >= heardStepMs) this.#lastHeardMs = nowMs
          const offsetMs = engineTimeMs - nowMs
          if (Math.abs(offsetMs - this.#clockOffsetMs) >= offsetStepMs) this.#clockOffsetMs = offsetMs
        },
        refused: (_code, message) => (this.#refusal = message),
      },
    })
  }

  get records(): Partial<LiveRecords> {
    return this.#records
  }
  get connection(): ConnectionState {
    return this.#connection
  }
  /** Changes when the engine was restarted; what was loaded by calls must then be loaded again. */
  get epoch(): string {
    return this.#epoch
  }
  get version(): string {
    return this.#version
  }
  get refusal(): string {
    return this.#refusal
  }
  /** This page's time at which the engine was last heard, to half a second; 0 for never. */
  get lastHeardMs(): number {
    return this.#lastHeardMs
  }
  /** What to add to this page's time to have the engine's. */
  get clockOffsetMs(): number {
    return this.#clockOffsetMs
  }
  get calls(): CallClient {
    return this.#link.calls
  }

  /** The link as the one source of the page's samples. */
  get samples(): SampleSource {
    return {
      stream: (hosts) => this.stream(hosts),
      onSamples: (listener) => this.onSamples(listener),
      onOpen: (listener) => this.onOpen(listener),
      chart: async (input) => this.calls.telemetry.chart(input),
      engineNowMs: () => Date.now() + this.#clockOffsetMs,
    }
  }

  start(): void {
    this.#link.start()
  }

  retryNow(): void {
    this.#link.retryNow()
  }

  stream(hosts: Parameters<Connection['stream']>[0]): void {
    this.#link.stream(hosts)
  }

  /** Which records this page needs now; all until the first choice. */
  subscribe(records: Parameters<Connection['subscribe']>[0]): void {
    this.#link.subscribe(records)
  }

  /** Calls `listener` with each batch of streamed rows; the result stops it. */
  onSamples(listener: (rows: SampleRows[]) => void): () => void {
    this.#sampleListeners = [...this.#sampleListeners, listener]
    return () => {
      this.#sampleListeners = this.#sampleListeners.filter((other) => other !== listener)
    }
  }

  /** Calls `listener` at the beginning of each connection, with the engine's epoch; the result stops it. */
  onOpen(listener: (epoch: string) => void): () => void {
    this.#openListeners = [...this.#openListeners, listener]
    return () => {
      this.#openListeners = this.#openListeners.filter((other) => other !== listener)
    }
  }
}
