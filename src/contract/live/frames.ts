import type { ClientFrame, ServerFrame } from './records.ts'

/** Largest message taken on any transport, bytes. */
export const maxMessageBytes = 1024 * 1024

interface ColumnRef {
  $column: [start: number, length: number]
}

const isColumnRef = (value: unknown): value is ColumnRef =>
  typeof value === 'object' && value !== null && '$column' in value

/**
 * A frame as bytes: header length (u32, little endian), JSON header, zeros up to a multiple of 8, then the
 * typed arrays one after the other; in the header stands where each begins. The same bytes on every transport.
 */
export function encodeFrame(frame: ServerFrame | ClientFrame): Uint8Array<ArrayBuffer> {
  const columns: Float64Array[] = []
  let start = 0
  const header = new TextEncoder().encode(
    JSON.stringify(frame, (_key, value: unknown) => {
      if (!(value instanceof Float64Array)) return value
      columns.push(value)
      const ref: ColumnRef = { $column: [start, value.length] }
      start += value.length
      return ref
    }),
  )
  const bodyAt = (4 + header.length + 7) & ~7
  const buffer = new ArrayBuffer(bodyAt + start * 8)
  new DataView(buffer).setUint32(0, header.length, true)
  new Uint8Array(buffer, 4, header.length).set(header)
  const body = new Float64Array(buffer, bodyAt)
  let at = 0
  for (const column of columns) {
    body.set(column, at)
    at += column.length
  }
  return new Uint8Array(buffer)
}

/** The frame in `bytes`, not yet checked against a schema. Throws a RangeError or SyntaxError on anything else. */
export function decodeFrame(bytes: Uint8Array): unknown {
  if (bytes.length < 4) throw new RangeError('a frame has at least 4 bytes')
  const headerLength = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
  const bodyAt = (4 + headerLength + 7) & ~7
  if (bodyAt > bytes.length) throw new RangeError('a frame ends inside its header')
  const header = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(4, 4 + headerLength))
  // A copy: the body must be aligned to 8, which a view into a socket's buffer need not be.
  const body = new Float64Array(bytes.slice(bodyAt, bodyAt + ((bytes.length - bodyAt) & ~7)).buffer)
  return JSON.parse(header, (_key, value: unknown) => {
    if (!isColumnRef(value)) return value
    const [start, length] = value.$column
    if (!(start >= 0 && length >= 0 && start + length <= body.length)) {
      throw new RangeError('a column lies outside its frame')
    }
    return body.subarray(start, start + length)
  })
}
