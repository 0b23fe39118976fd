import type { Clock } from '../../base/index.ts'
import {
  ackWindow,
  clientFrameSchema,
  heartbeatMs,
  liveProtocolVersion,
  matchesAny,
  rightToRead,
  type ClientFrame,
  type LiveDiff,
  type LiveRecordKey,
  type LiveRecords,
  type Right,
  type SampleRows,
  type ServerFrame,
} from '../../contract/index.ts'
import { squash, type LiveStore } from '../core/index.ts'
import type { FeedRow, SampleFeed } from './sample-feed.ts'

/** Rows kept for a consumer that does not keep up; older ones it can query. */
const maxWaitingRows = 120
/** Least time between two diffs: what changes meanwhile goes in one, and still stands on screen within 250 ms. */
const diffEveryMs = 200
/** A consumer that acknowledges nothing for this long is let go. */
const stuckAfterMs = 60_000

export interface PublisherOptions {
  store: LiveStore
  feed: SampleFeed
  clock: Clock
  epoch: string
  version: string
  /** Whether the consumer has a right: records that need another are not sent. */
  mayUse(right: Right): boolean
  send(frame: ServerFrame): void
  /** The consumer is stuck or speaks another protocol: close its channel. */
  drop(): void
}

interface Stream {
  seriesIds: readonly number[]
  rows: FeedRow[]
}

type WithoutSeq<F> = F extends { seq: number } ? Omit<F, 'seq' | 'engineTimeMs'> : never

/**
 * The engine's half of the live protocol for one consumer. At most `ackWindow` frames are in flight; what happens
 * meanwhile is squashed into one diff and a bounded number of rows, so memory is bounded however slow it is.
 */
export class LivePublisher implements Disposable {
  #options: PublisherOptions
  #seq = -1
  #acked = -1
  #lastAckMs: number
  #isGreeted = false
  #isSnapshotDue = false
  #waitingDiff: LiveDiff | undefined
  #lastDiffMs = -Infinity
  #plannedFlush: Disposable | undefined
  #streams = new Map<string, Stream>()
  /** Null for all. */
  #chosen: ReadonlySet<string> | null = null
  #held: Disposable[] = []

  constructor(options: PublisherOptions) {
    this.#options = options
    this.#lastAckMs = options.clock.monotonicMs()
  }

  /** Takes one frame as decoded from the wire; anything malformed ends the consumer with a reason. */
  receive(raw: unknown): void {
    const parsed = clientFrameSchema.safeParse(raw)
    if (!parsed.success) {
      this.#refuse('BAD_INPUT', 'not a frame of the live protocol')
      return
    }
    const frame = parsed.data
    if (!this.#isGreeted) {
      if (frame.kind === 'hello') this.#greet(frame.protocol)
      else this.#refuse('BAD_INPUT', 'the first frame must be hello')
      return
    }
    switch (frame.kind) {
      case 'hello':
        this.#refuse('BAD_INPUT', 'hello was already sent')
        return
      case 'ack':
        if (frame.seq > this.#seq) this.#refuse('BAD_INPUT', 'acknowledged a frame that was never sent')
        else {
          this.#acked = Math.max(this.#acked, frame.seq)
          this.#lastAckMs = this.#options.clock.monotonicMs()
          this.#flush()
        }
        return
      case 'resync':
        this.#isSnapshotDue = true
        this.#flush()
        return
      case 'subscribe':
        this.#subscribe(frame.records)
        return
      case 'stream':
        this.#choose(frame.hosts)
        return
    }
  }

  [Symbol.dispose](): void {
    for (const held of this.#held.splice(0)) held[Symbol.dispose]()
    this.#plannedFlush?.[Symbol.dispose]()
    this.#streams.clear()
    this.#waitingDiff = undefined
  }

  #greet(protocol: number): void {
    const { clock, epoch, version, store, feed } = this.#options
    if (protocol !== liveProtocolVersion) {
      this.#refuse(
        'UNSUPPORTED',
        `this engine speaks protocol ${liveProtocolVersion}, the screen ${protocol}: reload the page`,
      )
      return
    }
    this.#isGreeted = true
    this.#options.send({
      kind: 'hello',
      protocol: liveProtocolVersion,
      version,
      epoch,
      engineTimeMs: clock.nowMs(),
      heartbeatMs,
    })
    this.#held.push(
      store.subscribe((diff) => this.#changed(diff)),
      feed.subscribe((row) => this.#take(row)),
      clock.every(heartbeatMs, () => this.#beat()),
    )
    this.#sendSnapshot()
  }

  #changed(all: LiveDiff): void {
    const diff = {
      put: this.#wantedOf(all.put),
      removed: all.removed.filter((key) => this.#isWanted(key)),
    }
    if (diff.removed.length === 0 && Object.keys(diff.put).length === 0) return
    this.#waitingDiff = this.#waitingDiff ? squash(this.#waitingDiff, diff) : diff
    this.#flush()
  }

  #isWanted(key: LiveRecordKey): boolean {
    const isChosen = this.#chosen === null || matchesAny(this.#chosen, key)
    return isChosen && this.#options.mayUse(rightToRead(key))
  }

  #wantedOf(records: Partial<LiveRecords>): Partial<LiveRecords> {
    const keys = Object.keys(records) as LiveRecordKey[]
    return keys.every((key) => this.#isWanted(key)) ? records : pick(records, (key) => this.#isWanted(key))
  }

  #subscribe(records: readonly string[]): void {
    const before = this.#chosen
    this.#chosen = new Set(records)
    // A narrower choice takes nothing away that is on screen; what a wider one lacks comes at once.
    const isWider =
      before !== null && records.some((pattern) => !matchesAny(before, pattern as LiveRecordKey))
    if (!isWider) return
    this.#isSnapshotDue = true
    this.#flush()
  }

  #choose(hosts: Extract<ClientFrame, { kind: 'stream' }>['hosts']): void {
    this.#streams.clear()
    for (const { hostId, seriesIds } of hosts) this.#streams.set(hostId, { seriesIds, rows: [] })
  }

  #take(row: FeedRow): void {
    const stream = this.#streams.get(row.hostId)
    if (!stream || stream.seriesIds.length === 0) return
    stream.rows.push(row)
    if (stream.rows.length > maxWaitingRows) stream.rows.shift()
    this.#flush()
  }

  #flush(): void {
    if (!this.#hasRoom()) return
    if (this.#isSnapshotDue) {
      this.#sendSnapshot()
    } else if (this.#waitingDiff) {
      // Samples wait with it: they must not take the room of the state.
      if (!this.#isDiffDue()) return
      const diff = this.#waitingDiff
      this.#waitingDiff = undefined
      this.#lastDiffMs = this.#options.clock.monotonicMs()
      this.#send({ kind: 'diff', diff })
    }
    if (!this.#hasRoom()) return
    const rows: SampleRows[] = []
    for (const [hostId, stream] of this.#streams) {
      if (stream.rows.length > 0) rows.push(toRows(hostId, stream))
      stream.rows = []
    }
    if (rows.length > 0) this.#send({ kind: 'samples', rows })
  }

  /** Whether the waiting diff may go now; if not, it goes as soon as it may. */
  #isDiffDue(): boolean {
    const waitMs = this.#lastDiffMs + diffEveryMs - this.#options.clock.monotonicMs()
    if (waitMs <= 0) return true
    this.#plannedFlush ??= this.#options.clock.after(waitMs, () => {
      this.#plannedFlush = undefined
      this.#flush()
    })
    return false
  }

  #beat(): void {
    if (this.#hasRoom()) {
      this.#send({ kind: 'heartbeat' })
    } else if (this.#options.clock.monotonicMs() - this.#lastAckMs > stuckAfterMs) {
      this.#options.drop()
    }
  }

  #hasRoom(): boolean {
    return this.#seq - this.#acked < ackWindow
  }

  #sendSnapshot(): void {
    this.#isSnapshotDue = false
    this.#waitingDiff = undefined
    this.#send({ kind: 'snapshot', records: this.#wantedOf(this.#options.store.snapshot()) })
  }

  #send(frame: WithoutSeq<ServerFrame>): void {
    this.#seq += 1
    this.#options.send({ ...frame, seq: this.#seq, engineTimeMs: this.#options.clock.nowMs() })
  }

  #refuse(code: string, message: string): void {
    this.#options.send({ kind: 'refused', code, message })
    this.#options.drop()
  }
}

function pick(
  records: Partial<LiveRecords>,
  isPicked: (key: LiveRecordKey) => boolean,
): Partial<LiveRecords> {
  const entries = Object.entries(records).filter(([key]) => isPicked(key as LiveRecordKey))
  return Object.fromEntries(entries) as Partial<LiveRecords>
}

function toRows(hostId: string, { seriesIds, rows }: Stream): SampleRows {
  const width = seriesIds.length
  const values = new Float64Array(rows.length * width).fill(Number.NaN)
  let known: readonly number[] | undefined
  let columns: (number | undefined)[] = []
  rows.forEach((row, rowIndex) => {
    // Rows share one list of ids until the host's catalogue grows.
    if (row.seriesIds !== known) {
      known = row.seriesIds
      const columnOf = new Map(known.map((id, column) => [id, column]))
      columns = seriesIds.map((id) => columnOf.get(id))
    }
    columns.forEach((column, index) => {
      if (column !== undefined) values[rowIndex * width + index] = row.values[column] ?? Number.NaN
    })
  })
  return {
    hostId,
    seriesIds: Float64Array.from(seriesIds),
    timesMs: Float64Array.from(rows, (row) => row.atMs),
    values,
  }
}
