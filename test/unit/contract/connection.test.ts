import { describe, expect, it } from 'vitest'
import {
  channelPair,
  Connection,
  encodeFrame,
  liveProtocolVersion,
  type Channels,
  type ConnectionState,
  type LiveChannel,
  type ServerFrame,
} from '../../../src/contract/index.ts'

/** A page's connection whose time and engine the test moves. */
class Line {
  states: ConnectionState[] = []
  /** The engine's ends of the channels, newest last. */
  engines: LiveChannel[] = []
  opens: () => Promise<Channels> = () => Promise.resolve(this.channels())
  heardCount = 0
  #nowMs = 0
  #timers: { atMs: number; run: () => void }[] = []
  connection = new Connection({
    open: () => this.opens(),
    nowMs: () => this.#nowMs,
    random: () => 0,
    after: (delayMs, run) => {
      const timer = { atMs: this.#nowMs + delayMs, run }
      this.#timers.push(timer)
      return () => {
        this.#timers = this.#timers.filter((other) => other !== timer)
      }
    },
    listener: {
      state: (state) => this.states.push(state),
      greeted: () => undefined,
      changed: () => undefined,
      samples: () => undefined,
      heard: () => void (this.heardCount += 1),
      refused: () => undefined,
    },
  })

  channels(): Channels {
    const [live, engine] = channelPair<Uint8Array>()
    const [calls] = channelPair<string | Uint8Array>()
    this.engines.push(engine)
    return { live, calls }
  }

  async open(): Promise<void> {
    this.connection.start()
    await settled()
    await this.says({
      kind: 'hello',
      protocol: liveProtocolVersion,
      version: '1',
      epoch: 'a',
      engineTimeMs: 0,
      heartbeatMs: 1000,
    })
  }

  async says(frame: ServerFrame): Promise<void> {
    this.engines.at(-1)?.send(encodeFrame(frame))
    await settled()
  }

  async passes(spanMs: number): Promise<void> {
    this.#nowMs += spanMs
    for (const timer of this.#timers.filter(({ atMs }) => atMs <= this.#nowMs)) {
      this.#timers = this.#timers.filter((other) => other !== timer)
      timer.run()
    }
    await settled()
  }

  /** What is still waited for. */
  get timerCount(): number {
    return this.#timers.length
  }

  get kinds(): string[] {
    return this.states.map(({ kind }) => kind)
  }
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve))
const heartbeat = (seq: number): ServerFrame => ({ kind: 'heartbeat', seq, engineTimeMs: seq })

describe('a connection', () => {
  it('hears nothing more and waits for nothing once it is closed, whatever was still on its way', async () => {
    const line = new Line()
    let deliver: (bytes: Uint8Array) => void = () => undefined
    line.opens = () => {
      const { live, calls } = line.channels()
      const closing: LiveChannel = {
        send: (message) => live.send(message),
        onMessage: (receive) => live.onMessage((deliver = receive)),
        onClose: (closed) => live.onClose(closed),
        close: () => live.close(),
      }
      return Promise.resolve({ live: closing, calls })
    }
    await line.open()
    await line.says(heartbeat(0))
    expect([line.heardCount, line.timerCount]).toEqual([1, 1])
    line.connection.close()
    deliver(encodeFrame(heartbeat(1)))
    expect([line.heardCount, line.timerCount]).toEqual([1, 0])
  })

  it('lives as long as the engine speaks', async () => {
    const line = new Line()
    await line.open()
    for (let seq = 0; seq < 5; seq++) {
      await line.passes(10_000)
      await line.says(heartbeat(seq))
    }
    expect(line.kinds).toEqual(['connecting', 'open'])
  })

  it('gives up an engine that is silent though its channels are open, and comes back', async () => {
    const line = new Line()
    await line.open()
    await line.passes(15_000)
    expect(line.states.at(-1)).toMatchObject({ kind: 'waiting', reason: 'the engine stopped responding' })
    await line.passes(10_000)
    expect(line.engines).toHaveLength(2)
    await line.says({
      kind: 'hello',
      protocol: liveProtocolVersion,
      version: '1',
      epoch: 'a',
      engineTimeMs: 0,
      heartbeatMs: 1000,
    })
    expect(line.kinds.at(-1)).toBe('open')
  })

  it('gives up an engine that takes the channels and never greets', async () => {
    const line = new Line()
    line.connection.start()
    await settled()
    await line.passes(15_000)
    expect(line.kinds).toEqual(['connecting', 'waiting'])
  })

  it('does not wait for ever for an attempt, and closes what comes of it too late', async () => {
    const line = new Line()
    let answer: (channels: Channels) => void = () => undefined
    line.opens = () => new Promise((resolve) => (answer = resolve))
    line.connection.start()
    await settled()
    await line.passes(10_000)
    expect(line.states.at(-1)).toMatchObject({ kind: 'waiting', reason: 'the engine did not answer' })
    let isClosed = false
    const late = line.channels()
    line.engines[0]?.onClose(() => (isClosed = true))
    answer(late)
    await settled()
    expect(isClosed).toBe(true)
    expect(line.kinds.at(-1)).toBe('waiting')
  })

  it('says why an attempt failed', async () => {
    const line = new Line()
    line.opens = () => Promise.reject(new Error('no response'))
    line.connection.start()
    await settled()
    expect(line.states.at(-1)).toMatchObject({ kind: 'waiting', reason: 'no response' })
  })
})
