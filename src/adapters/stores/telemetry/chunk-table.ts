import { crc32 } from 'node:zlib'
import { type Block, decodeBlock, encodeBlock } from './block.ts'
import type { Database } from './database.ts'
import { floorTo, type Resolution } from './resolutions.ts'

interface ChunkRow {
  id: number
  crc: number
  body: Buffer
}

/** Whose blocks: a group of series of a host at one resolution. */
export interface ChunkPlace {
  hostId: number
  resolution: Resolution
  group: number
}

/** Closed blocks on disk: the table `chunk`, and in `usage` what each host and resolution takes. */
export class ChunkTable {
  readonly #damaged = new Set<number>()
  readonly #one
  readonly #range
  readonly #oldest
  readonly #any
  readonly #put
  readonly #drop
  readonly #use
  readonly #usage

  constructor(db: Database) {
    const at = 'host = ? AND res = ? AND grp = ?'
    this.#one = db.prepare<unknown[], ChunkRow>(`SELECT id, crc, body FROM chunk WHERE ${at} AND t0 = ?`)
    this.#range = db.prepare<unknown[], ChunkRow>(
      `SELECT id, crc, body FROM chunk WHERE ${at} AND t0 >= ? AND t0 <= ? ORDER BY t0`,
    )
    this.#oldest = db.prepare<unknown[], { t0: number; first: number }>(
      `SELECT t0, first FROM chunk WHERE ${at} ORDER BY t0 LIMIT 1`,
    )
    this.#any = db
      .prepare<unknown[], number>(
        `SELECT count(*) FROM chunk WHERE ${at} AND t0 > ? AND t0 < ? AND first < ? AND last >= ?`,
      )
      .pluck()
    this.#put = db.prepare(
      `INSERT INTO chunk (host, res, grp, t0, first, last, n, crc, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (host, res, grp, t0) DO UPDATE
       SET first = excluded.first, last = excluded.last, n = excluded.n, crc = excluded.crc, body = excluded.body`,
    )
    this.#drop = db.prepare<unknown[], { bytes: number }>(
      `DELETE FROM chunk WHERE ${at} AND t0 = ? RETURNING length(body) AS bytes`,
    )
    this.#use = db.prepare(
      `INSERT INTO usage (host, res, bytes) VALUES (?, ?, ?)
       ON CONFLICT (host, res) DO UPDATE SET bytes = bytes + excluded.bytes`,
    )
    this.#usage = db
      .prepare<unknown[], number>('SELECT coalesce(sum(bytes), 0) FROM usage WHERE host = ? AND res = ?')
      .pluck()
  }

  /** Blocks that were found damaged since the database was opened; each is a gap in its stretch of time. */
  get damagedCount(): number {
    return this.#damaged.size
  }

  /** The block of `place` that begins at `t0`, or undefined when there is none or it is damaged. */
  read(place: ChunkPlace, t0: number): Block | undefined {
    const row = this.#one.get(...where(place), t0)
    return row && this.#decode(row)
  }

  /** All sound blocks that touch [fromMs, toMs], in order; of their columns only those of `wanted`. */
  *range(place: ChunkPlace, fromMs: number, toMs: number, wanted: ReadonlySet<number>): Generator<Block> {
    const firstT0 = floorTo(fromMs, place.resolution.spanMs)
    for (const row of this.#range.iterate(...where(place), firstT0, toMs)) {
      const block = this.#decode(row, wanted)
      if (block) yield block
    }
  }

  /** Time of the oldest row there is, or undefined. */
  firstMs(place: ChunkPlace): number | undefined {
    return this.#oldest.get(...where(place))?.first
  }

  /** Whether there are blocks with rows before `beforeMs` and rows from `fromMs` on. */
  hasBetween(place: ChunkPlace, fromMs: number, beforeMs: number): boolean {
    if (fromMs >= beforeMs) return false
    const t0After = fromMs - place.resolution.spanMs
    return (this.#any.get(...where(place), t0After, beforeMs, beforeMs, fromMs) ?? 0) > 0
  }

  /** Start of the oldest block, or undefined. */
  oldestT0(place: ChunkPlace): number | undefined {
    return this.#oldest.get(...where(place))?.t0
  }

  /** Stores `block`, in order of time and not empty, in place of the one that began at `t0`. */
  write(place: ChunkPlace, t0: number, block: Block): void {
    const before = this.#one.get(...where(place), t0)?.body.length ?? 0
    const body = encodeBlock(block)
    this.#put.run(
      ...where(place),
      t0,
      block.timesMs[0],
      block.timesMs.at(-1),
      block.timesMs.length,
      crc32(body),
      body,
    )
    this.#use.run(place.hostId, place.resolution.stepMs, body.length - before)
  }

  drop(place: ChunkPlace, t0: number): void {
    const dropped = this.#drop.get(...where(place), t0)
    if (dropped) this.#use.run(place.hostId, place.resolution.stepMs, -dropped.bytes)
  }

  /** Bytes of all blocks of a host at one resolution. */
  usedBytes(hostId: number, resolution: Resolution): number {
    return this.#usage.get(hostId, resolution.stepMs) ?? 0
  }

  #decode(row: ChunkRow, wanted?: ReadonlySet<number>): Block | undefined {
    try {
      if (crc32(row.body) === row.crc) return decodeBlock(row.body, wanted)
    } catch {
      // Sound by its checksum and still not readable: written by a defect. A gap, like one the disk made.
    }
    this.#damaged.add(row.id)
    return undefined
  }
}

const where = (place: ChunkPlace): [number, number, number] => [
  place.hostId,
  place.resolution.stepMs,
  place.group,
]
