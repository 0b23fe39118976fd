import { crc32 } from 'node:zlib'
import { type Block, decodeBlock, encodeBlock } from './block.ts'
import type { Database } from './database.ts'
import { floorTo, samples } from './resolutions.ts'

/** Ten minutes of a host that are not a chunk yet. */
export interface Window {
  hostId: number
  t0: number
}

/**
 * The newest samples, committed every few seconds: the table `tail`. Each row is a block of what one commit brought
 * of one host within one window; the later of two wins where they tell of the same time.
 */
export class TailTable {
  readonly #damaged = new Set<string>()
  readonly #put
  readonly #range
  readonly #drop
  readonly #windows
  readonly #oldest

  constructor(db: Database) {
    this.#put = db.prepare(
      `INSERT INTO tail (host, t0, seq, crc, body)
       SELECT :host, :t0, coalesce(max(seq) + 1, 0), :crc, :body FROM tail WHERE host = :host AND t0 = :t0`,
    )
    this.#range = db.prepare<unknown[], { t0: number; seq: number; crc: number; body: Buffer }>(
      'SELECT t0, seq, crc, body FROM tail WHERE host = ? AND t0 >= ? AND t0 <= ? ORDER BY t0, seq',
    )
    this.#drop = db.prepare('DELETE FROM tail WHERE host = ? AND t0 = ?')
    this.#windows = db.prepare<unknown[], Window>('SELECT DISTINCT host AS hostId, t0 FROM tail')
    this.#oldest = db.prepare<unknown[], number | null>('SELECT min(t0) FROM tail WHERE host = ?').pluck()
  }

  get damagedCount(): number {
    return this.#damaged.size
  }

  append(window: Window, block: Block): void {
    const body = encodeBlock(block)
    this.#put.run({ host: window.hostId, t0: window.t0, crc: crc32(body), body })
  }

  /** Blocks of all windows that touch [fromMs, toMs], in order of writing within each. */
  *range(hostId: number, fromMs: number, toMs: number, wanted?: ReadonlySet<number>): Generator<Block> {
    for (const row of this.#range.iterate(hostId, floorTo(fromMs, samples.spanMs), toMs)) {
      try {
        if (crc32(row.body) === row.crc) {
          yield decodeBlock(row.body, wanted)
          continue
        }
      } catch {
        // Counted below, as a bad checksum is.
      }
      this.#damaged.add(`${hostId} ${row.t0} ${row.seq}`)
    }
  }

  /** Everything of one window. */
  read(window: Window): Block[] {
    return [...this.range(window.hostId, window.t0, window.t0)]
  }

  drop(window: Window): void {
    this.#drop.run(window.hostId, window.t0)
  }

  /** Start of the oldest window of a host that has rows here, or undefined. */
  oldestT0(hostId: number): number | undefined {
    return this.#oldest.get(hostId) ?? undefined
  }

  windows(): Window[] {
    return this.#windows.all()
  }
}
