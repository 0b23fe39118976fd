import type { LiveChannel } from '../transport/channel.ts'
import { decodeFrame, encodeFrame } from './frames.ts'
import type { LivePattern } from './record-keys.ts'
import {
  liveProtocolVersion,
  serverFrameSchema,
  type ClientFrame,
  type LiveRecords,
  type SampleRows,
  type ServerFrame,
} from './records.ts'

export interface LiveListener {
  /** First frame of a connection; another epoch than before means the engine was restarted. */
  greeted(hello: Extract<ServerFrame, { kind: 'hello' }>): void
  /** The records as they now stand; a new object after each change. */
  changed(records: Partial<LiveRecords>): void
  samples(rows: SampleRows[]): void
  /** Any frame arrived; for the age of data on screen. */
  heard(engineTimeMs: number): void
  refused(code: string, message: string): void
}

type StreamChoice = Extract<ClientFrame, { kind: 'stream' }>['hosts']

/**
 * The consumer's half of the live protocol on one channel: applies diffs in order, acknowledges, and asks for a
 * new snapshot when a sequence number is missing.
 */
export class LiveClient {
  #channel: LiveChannel
  #listener: LiveListener
  #records: Partial<LiveRecords> = {}
  #lastSeq = -1
  #isResyncing = true

  constructor(channel: LiveChannel, listener: LiveListener) {
    this.#channel = channel
    this.#listener = listener
    channel.onMessage((bytes) => this.#receive(bytes))
    this.#send({ kind: 'hello', protocol: liveProtocolVersion })
  }

  /** Chooses which samples to stream; replaces the choice before. */
  stream(hosts: StreamChoice): void {
    this.#send({ kind: 'stream', hosts })
  }

  /** Chooses which records to have; replaces the choice before. Those left out stay as they were until the next snapshot. */
  subscribe(records: readonly LivePattern[]): void {
    this.#send({ kind: 'subscribe', records: [...records] })
  }

  #send(frame: ClientFrame): void {
    this.#channel.send(encodeFrame(frame))
  }

  #receive(bytes: Uint8Array): void {
    let frame: ServerFrame
    try {
      frame = serverFrameSchema.parse(decodeFrame(bytes))
    } catch {
      this.#channel.close()
      return
    }
    if (frame.kind === 'hello') {
      this.#listener.greeted(frame)
      return
    }
    if (frame.kind === 'refused') {
      this.#listener.refused(frame.code, frame.message)
      return
    }
    const isNext = frame.seq === this.#lastSeq + 1
    this.#lastSeq = frame.seq
    this.#send({ kind: 'ack', seq: frame.seq })
    this.#listener.heard(frame.engineTimeMs)
    if (frame.kind === 'snapshot') {
      this.#isResyncing = false
      this.#records = frame.records
      this.#listener.changed(this.#records)
      return
    }
    if (this.#isResyncing) return
    if (!isNext) {
      this.#isResyncing = true
      this.#send({ kind: 'resync' })
      return
    }
    if (frame.kind === 'diff') {
      const next = { ...this.#records, ...frame.diff.put }
      for (const key of frame.diff.removed) delete next[key]
      this.#records = next
      this.#listener.changed(next)
    } else if (frame.kind === 'samples') {
      this.#listener.samples(frame.rows)
    }
  }
}
