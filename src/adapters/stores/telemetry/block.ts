import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { ByteReader, ByteWriter } from './bytes.ts'
import { allBits, decodeColumn, encodeColumn, type Precision } from './column.ts'

/** Samples of one stretch of time: a time and, in each column, a value for each row. */
export interface Block {
  /** Whole milliseconds. */
  timesMs: Float64Array
  columns: BlockColumn[]
}

export interface BlockColumn extends Precision {
  /** A series id for samples; for roll-ups see `rollupKey`. Distinct within a block. */
  key: number
  values: Float64Array
}

const formatVersion = 1
const exact: Precision = { scale: 1, bits: allBits }
const largestBlockBytes = 64 << 20
const largestRowCount = 1 << 20
const compression = { params: { [constants.ZSTD_c_compressionLevel]: 6 } }
const decompression = { maxOutputLength: largestBlockBytes }

/**
 * Version byte, then in zstd: row count, times, column keys and lengths, columns. The lengths in front let a reader
 * of one series skip the others.
 */
export function encodeBlock(block: Block): Buffer {
  const out = new ByteWriter(4096)
  const bodies = new ByteWriter(block.timesMs.length * block.columns.length * 2 + 64)
  out.varint(block.timesMs.length)
  encodeColumn(block.timesMs, exact, out)
  const columns = block.columns.toSorted((a, b) => a.key - b.key)
  out.varint(columns.length)
  let previousKey = 0
  for (const column of columns) {
    const start = bodies.length
    encodeColumn(column.values, column, bodies)
    out.varint(column.key - previousKey)
    out.varint(column.scale)
    out.byte(column.bits)
    out.varint(bodies.length - start)
    previousKey = column.key
  }
  out.append(bodies.written())
  return Buffer.concat([Uint8Array.of(formatVersion), zstdCompressSync(out.written(), compression)])
}

/**
 * The block in `body`, with all columns or only those of `wanted` that it has. Throws on a body that `encodeBlock`
 * cannot have written; callers have its checksum compared before.
 */
export function decodeBlock(body: Uint8Array, wanted?: ReadonlySet<number>): Block {
  if (body[0] !== formatVersion) throw new RangeError(`no reader for blocks of format ${body[0]}`)
  const from = new ByteReader(zstdDecompressSync(body.subarray(1), decompression))
  const count = from.varint()
  if (count > largestRowCount) throw new RangeError(`a block of ${count} rows is not ours`)
  const timesMs = decodeColumn(from, count, exact)
  const heads: (Precision & { key: number; length: number })[] = []
  const columnCount = from.varint()
  let key = 0
  for (let i = 0; i < columnCount; i++) {
    key += from.varint()
    heads.push({ key, scale: from.varint(), bits: from.byte(), length: from.varint() })
  }
  const columns: BlockColumn[] = []
  for (const { length, ...head } of heads) {
    const bytes = from.take(length)
    if (wanted && !wanted.has(head.key)) continue
    columns.push({ ...head, values: decodeColumn(new ByteReader(bytes), count, head) })
  }
  return { timesMs, columns }
}
