import type { SampleRow } from '../../../engine/telemetry/index.ts'
import type { RowBatch } from './row-batch.ts'

interface PendingRow {
  hostId: string
  seriesIds: readonly number[]
  atMs: number
  values: Float64Array
}

/**
 * Rows that are not on disk yet: those waiting, and those on their way to the worker, which stay here until it says
 * that they are committed. Bounded by the number of values; the oldest waiting rows go first and are counted.
 */
export class PendingRows {
  readonly #valueLimit: number
  #waiting: PendingRow[] = []
  /** Rows at the front of `#waiting` that are gone; cutting the array for each would cost its length. */
  #gone = 0
  #sent: PendingRow[] = []
  #valueCount = 0
  #droppedCount = 0

  constructor(valueLimit: number) {
    this.#valueLimit = valueLimit
  }

  get count(): number {
    return this.#waiting.length - this.#gone + this.#sent.length
  }

  get droppedCount(): number {
    return this.#droppedCount
  }

  push(hostId: string, seriesIds: readonly number[], row: SampleRow): void {
    this.#waiting.push({ hostId, seriesIds, atMs: Math.round(row.atMs), values: row.values.slice() })
    this.#valueCount += row.values.length
    while (this.#valueCount > this.#valueLimit && this.#gone < this.#waiting.length) {
      this.#valueCount -= this.#waiting[this.#gone++]?.values.length ?? 0
      this.#droppedCount++
    }
    if (this.#gone > 1000 && this.#gone * 2 > this.#waiting.length) this.#compact()
  }

  countDropped(rows: number): void {
    this.#droppedCount += rows
  }

  /** The oldest waiting rows, up to about `valueCount` values, now on their way. Only one lot can be. */
  send(valueCount: number): RowBatch[] {
    if (this.#sent.length > 0) throw new Error('rows are already on their way')
    this.#compact()
    let sentCount = 0
    for (let values = 0; sentCount < this.#waiting.length && values < valueCount; sentCount++) {
      values += this.#waiting[sentCount]?.values.length ?? 0
    }
    this.#sent = this.#waiting.splice(0, sentCount)
    return pack(this.#sent)
  }

  /** What was sent is committed. */
  confirm(): void {
    for (const row of this.#sent) this.#valueCount -= row.values.length
    this.#sent = []
  }

  /** What was sent is not committed and waits again, in its old place. */
  takeBack(): void {
    this.#compact()
    this.#waiting = [...this.#sent, ...this.#waiting]
    this.#sent = []
  }

  /** Copies of a host's rows with only the series of `wanted`: those on their way, and those waiting. */
  of(hostId: string, wanted: ReadonlySet<number>): { sent: RowBatch[]; waiting: RowBatch[] } {
    const ofHost = (rows: readonly PendingRow[]) => rows.filter((row) => row.hostId === hostId)
    return {
      sent: pack(ofHost(this.#sent), wanted),
      waiting: pack(ofHost(this.#waiting.slice(this.#gone)), wanted),
    }
  }

  #compact(): void {
    this.#waiting.splice(0, this.#gone)
    this.#gone = 0
  }
}

/** Rows with the same host and the same list of series as one batch, in their order. */
function pack(rows: readonly PendingRow[], wanted?: ReadonlySet<number>): RowBatch[] {
  const alike = new Map<readonly number[], Map<string, PendingRow[]>>()
  for (const row of rows) {
    const byHost = alike.get(row.seriesIds) ?? new Map<string, PendingRow[]>()
    alike.set(row.seriesIds, byHost)
    const list = byHost.get(row.hostId)
    if (list) list.push(row)
    else byHost.set(row.hostId, [row])
  }
  return [...alike].flatMap(([seriesIds, byHost]) => {
    const columns = [...seriesIds.keys()].filter((column) => !wanted || wanted.has(seriesIds[column] ?? -1))
    if (columns.length === 0) return []
    return [...byHost].map(([hostId, list]) => {
      const values = new Float64Array(list.length * columns.length)
      list.forEach((row, r) => {
        if (!wanted) values.set(row.values, r * columns.length)
        else columns.forEach((column, c) => (values[r * columns.length + c] = row.values[column] ?? NaN))
      })
      return {
        hostId,
        seriesIds: Float64Array.from(columns, (column) => seriesIds[column] ?? -1),
        timesMs: Float64Array.from(list, (row) => row.atMs),
        values,
      }
    })
  })
}
