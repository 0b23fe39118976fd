import { statSync } from 'node:fs'
import { messageOf } from '../../../base/index.ts'
import type { Chart, Series } from '../../../contract/index.ts'
import type { ChartQuery, SeriesKey } from '../../../engine/telemetry/index.ts'
import { Catalog } from './catalog.ts'
import { drawChart } from './chart.ts'
import { ChunkTable } from './chunk-table.ts'
import { closeWindow, type Tables } from './closing.ts'
import { type Database, moveAside, openDatabase } from './database.ts'
import { floorTo, type Retention, samples } from './resolutions.ts'
import { retire } from './retention.ts'
import type { RowBatch } from './row-batch.ts'
import { blockOf } from './row-batch.ts'
import { isDamage } from './failures.ts'
import { TailTable, type Window } from './tail-table.ts'

/** A window that gets no more rows is closed this long after its end even when the host reports nothing newer. */
const patienceMs = 60_000
/** Pages of 4 KiB: free ones are kept for reuse up to the first figure, then given back in steps of the second. */
const freePagesKept = 512
const freePagesReturnedAtOnce = 128

export interface ArchiveState {
  sizeBytes: number
  damagedChunkCount: number
  notice: string
}

/**
 * The telemetry database as one thread sees it; everything here is synchronous and runs in the store's worker.
 * A database that turns out damaged is moved aside and a fresh one begun with the same series; the call then goes on.
 */
export class Archive {
  readonly #file: string
  #retention: Retention
  #db: Database
  #tables: Tables
  #notice: string
  #damagedBefore = 0
  /** Windows that have rows in the tail. */
  readonly #open = new Map<string, Window>()
  /** Of each host, the window of the row that came last. */
  readonly #current = new Map<number, number>()
  #toClose: Window[] = []
  #toRetire: number[] = []
  /** Place in the list of hosts of the one whose old data is looked at after the next commit. */
  #nextHost = 0

  /** Throws as `openDatabase` does. */
  constructor(file: string, retention: Retention, nowMs: number) {
    this.#file = file
    this.#retention = retention
    const { db, notice } = openDatabase(file, nowMs)
    this.#db = db
    this.#notice = notice
    this.#tables = tablesOf(db, new Catalog(db))
    for (const window of this.#tables.tail.windows()) this.#open.set(keyOf(window), window)
  }

  /** Keeps by this from now on; what is beyond it goes with the next upkeep. */
  retain(retention: Retention): void {
    this.#retention = retention
  }

  register(hostName: string, keys: readonly SeriesKey[], nowMs: number): Series[] {
    return this.#surviving(nowMs, () => this.#tables.catalog.register(hostName, keys))
  }

  /**
   * Commits rows, safe from a power cut once this returns. Rows older than samples are kept are left out; gives
   * their number. The host of a batch must be registered.
   */
  commit(batches: readonly RowBatch[], nowMs: number): number {
    return this.#surviving(nowMs, () => {
      const { catalog, tail } = this.#tables
      const oldestMs = nowMs - this.#retention.samplesMs
      const touched = new Set<string>()
      let refusedCount = 0
      // NORMAL would leave the log to the system's own pace: up to half a minute lost in a power cut.
      this.#db.pragma('synchronous = FULL')
      this.#db
        .transaction(() => {
          for (const batch of batches) {
            const hostId = catalog.hostIdOf(batch.hostId)
            if (hostId === undefined) throw new Error(`rows of host ${batch.hostId}, which has no series`)
            const rowsByWindow = Map.groupBy(batch.timesMs.keys(), (row) =>
              floorTo(batch.timesMs[row] ?? NaN, samples.spanMs),
            )
            for (const [t0, rows] of rowsByWindow) {
              const kept = rows.filter((row) => (batch.timesMs[row] ?? NaN) >= oldestMs)
              refusedCount += rows.length - kept.length
              if (kept.length === 0) continue
              const window = { hostId, t0 }
              tail.append(
                window,
                blockOf(batch, kept, (id) => catalog.precisionOf(id)),
              )
              touched.add(keyOf(window))
              this.#open.set(keyOf(window), window)
              this.#current.set(hostId, t0)
            }
          }
        })
        .immediate()
      this.#db.pragma('synchronous = NORMAL')
      this.#plan(touched, nowMs)
      return refusedCount
    })
  }

  /**
   * Does one piece of the upkeep that the last commit left to do: closing a window, deleting what is beyond its
   * age or size, giving free space back. True while there is more.
   */
  maintain(nowMs: number): boolean {
    return this.#surviving(nowMs, () => {
      const window = this.#toClose.shift()
      if (window) {
        this.#db.transaction(() => closeWindow(this.#tables, window)).immediate()
        this.#open.delete(keyOf(window))
        this.#toRetire.push(window.hostId)
        return true
      }
      const hostId = this.#toRetire.shift()
      if (hostId !== undefined) {
        const host = { id: hostId, groupCount: this.#tables.catalog.groupCountOf(hostId) }
        const isMore = this.#db
          .transaction(() => retire(this.#tables.chunks, host, this.#retention, nowMs))
          .immediate()
        if (isMore) this.#toRetire.push(hostId)
        return true
      }
      const freePages = this.#db.pragma('freelist_count', { simple: true }) as number
      if (freePages > freePagesKept) this.#db.pragma(`incremental_vacuum(${freePagesReturnedAtOnce})`)
      return false
    })
  }

  /** See `drawChart`. */
  chart(query: ChartQuery, pending: readonly RowBatch[], nowMs: number): Chart {
    return this.#surviving(nowMs, () => {
      const { catalog } = this.#tables
      const blocks = pending.map((batch) => blockOf(batch, undefined, (id) => catalog.precisionOf(id)))
      return drawChart(this.#tables, query, blocks)
    })
  }

  state(): ArchiveState {
    const { chunks, tail } = this.#tables
    const bytesOf = (file: string) => statSync(file, { throwIfNoEntry: false })?.size ?? 0
    return {
      sizeBytes: bytesOf(this.#file) + bytesOf(`${this.#file}-wal`),
      damagedChunkCount: this.#damagedBefore + chunks.damagedCount + tail.damagedCount,
      notice: this.#notice,
    }
  }

  close(): void {
    this.#db.close()
  }

  /** What is left to do: windows that got nothing and are not where rows arrive now, and one host's old data. */
  #plan(touched: ReadonlySet<string>, nowMs: number): void {
    this.#toClose = [...this.#open.values()].filter((window) => {
      if (touched.has(keyOf(window))) return false
      const current = this.#current.get(window.hostId) ?? window.t0
      return window.t0 !== current || window.t0 + samples.spanMs + patienceMs < nowMs
    })
    const hostId = this.#tables.catalog.hostIds()[this.#nextHost]
    this.#nextHost = hostId === undefined ? 0 : this.#nextHost + 1
    this.#toRetire = hostId === undefined ? [] : [hostId]
  }

  #surviving<T>(nowMs: number, run: () => T): T {
    try {
      return run()
    } catch (thrown) {
      if (!isDamage(thrown)) throw thrown
      this.#startAfresh(nowMs, messageOf(thrown))
      return run()
    }
  }

  #startAfresh(nowMs: number, why: string): void {
    this.#damagedBefore = this.state().damagedChunkCount
    this.#db.close()
    const aside = moveAside(this.#file, nowMs)
    const { db } = openDatabase(this.#file, nowMs)
    this.#tables.catalog.moveTo(db)
    this.#db = db
    this.#tables = tablesOf(db, this.#tables.catalog)
    this.#current.clear()
    this.#open.clear()
    this.#toClose = []
    this.#notice = `${aside} (${why})`
  }
}

const keyOf = (window: Window): string => `${window.hostId} ${window.t0}`

const tablesOf = (db: Database, catalog: Catalog): Tables => ({
  catalog,
  chunks: new ChunkTable(db),
  tail: new TailTable(db),
})
