import { type ByteReader, type ByteWriter, unzigzag, zigzag } from './bytes.ts'

/**
 * One column of a block. Which form it takes depends on what it holds:
 * - absent: every value is NaN;
 * - constant: one number for all;
 * - integers: codes of value x scale (see `codeOf`), above the least of them, in units of their greatest common divisor; as they
 *   are, as differences or as differences of differences, whichever has the least entropy; the bytes of equal weight
 *   stand together, so that zstd sees the quiet ones as runs;
 * - doubles: the eight bytes of each, where integers of that scale cannot hold a value (infinities, huge ones).
 * A bitmap of the values that are there precedes the form where some are NaN.
 */
const form = {
  absent: 0,
  constantInteger: 1,
  constantDouble: 2,
  integers: 3,
  differences: 4,
  secondDifferences: 5,
  doubles: 6,
}
const hasGaps = 0x80

/** Differences of differences of these, zigzagged, stay below 2^53. */
const largestInteger = 2 ** 49

/** How finely a column is kept: a value is off by at most half of 1 / scale or 1 in 2^bits, whichever is more. */
export interface Precision {
  /** A positive integer. */
  scale: number
  /** Significant binary digits; `allBits` for no limit. */
  bits: number
}

export const allBits = 53

/**
 * Appends `values` to `out`. They come back from `decodeColumn` as near as `precision` says (plus the rounding of a
 * double), NaN as NaN; a negative zero may come back as zero. What came back once comes back the same ever after.
 */
export function encodeColumn(values: Float64Array, precision: Precision, out: ByteWriter): void {
  const present = presentOf(values)
  if (present.length === 0) {
    out.byte(form.absent)
    return
  }
  const gaps = present.length < values.length ? hasGaps : 0
  const put = (kind: number) => {
    out.byte(kind | gaps)
    if (gaps) out.append(presence(values))
  }
  const integers = toCodes(present, precision)
  if (integers) {
    const { least, divisor } = reduce(integers)
    if (divisor === 0) {
      put(form.constantInteger)
      out.signed(least)
    } else {
      const { order, planes } = leastOf(integers)
      put(form.integers + order)
      out.signed(least)
      out.varint(divisor)
      out.byte(planes.length / present.length)
      out.append(planes)
    }
  } else if (present.every((value) => value === present[0])) {
    put(form.constantDouble)
    out.double(present[0] ?? 0)
  } else {
    put(form.doubles)
    out.append(new Uint8Array(present.buffer, present.byteOffset, present.byteLength))
  }
}

/** Reads a column of `count` values. Throws RangeError on bytes that `encodeColumn` cannot have written. */
export function decodeColumn(from: ByteReader, count: number, precision: Precision): Float64Array {
  const head = from.byte()
  const kind = head & ~hasGaps
  if (kind === form.absent) return new Float64Array(count).fill(NaN)
  if ((head & hasGaps) === 0) return decodePresent(kind, from, count, precision)
  const bitmap = from.take(Math.ceil(count / 8))
  const isPresent = (i: number) => ((bitmap[i >> 3] ?? 0) >> (i & 7)) & 1
  let presentCount = 0
  for (let i = 0; i < count; i++) presentCount += isPresent(i)
  const present = decodePresent(kind, from, presentCount, precision)
  const values = new Float64Array(count)
  let next = 0
  for (let i = 0; i < count; i++) values[i] = isPresent(i) ? (present[next++] ?? NaN) : NaN
  return values
}

function decodePresent(kind: number, from: ByteReader, count: number, precision: Precision): Float64Array {
  switch (kind) {
    case form.constantInteger:
      return fromCodes(new Float64Array(count).fill(from.signed()), precision)
    case form.constantDouble:
      return new Float64Array(count).fill(from.double())
    case form.integers:
    case form.differences:
    case form.secondDifferences: {
      const least = from.signed()
      const divisor = from.varint()
      const width = from.byte()
      const values = fromPlanes(from.take(width * count), count)
      if (kind !== form.integers) for (let i = 0; i < count; i++) values[i] = unzigzag(values[i] ?? 0)
      for (let order = form.integers; order < kind; order++) sumUp(values)
      for (let i = 0; i < count; i++) values[i] = (values[i] ?? 0) * divisor + least
      return fromCodes(values, precision)
    }
    case form.doubles:
      return new Float64Array(from.take(8 * count).slice().buffer)
    default:
      throw new RangeError(`no column has form ${kind}`)
  }
}

/** The codes of `values`, or undefined when one has none. */
function toCodes(values: Float64Array, { scale, bits }: Precision): Float64Array | undefined {
  const plain = 2 ** bits
  const codes = new Float64Array(values.length)
  for (let i = 0; i < values.length; i++) {
    const scaled = (values[i] ?? 0) * scale
    if (!(Math.abs(scaled) <= largestInteger)) return undefined
    codes[i] = scaled < 0 ? -codeOf(-scaled, bits, plain) : codeOf(scaled, bits, plain)
  }
  return codes
}

/** Turns codes into the values they stand for, in place. */
function fromCodes(codes: Float64Array, { scale, bits }: Precision): Float64Array {
  const plain = 2 ** bits
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] ?? 0
    codes[i] = (code < 0 ? -numberOf(-code, plain) : numberOf(code, plain)) / scale
  }
  return codes
}

/**
 * Numbers that `bits` significant digits can tell apart, counted from zero: whole numbers are their own code as long
 * as they have no more digits, and each octave beyond has the same number of codes, as with a floating-point number.
 * So a code grows with its number, and noise of 1 % is the same few codes at any size. `plain` is 2^bits.
 */
function codeOf(size: number, bits: number, plain: number): number {
  if (size < plain) return Math.round(size)
  const octave = Math.floor(Math.log2(size)) + 1 - bits
  return plain + (octave - 2) * (plain / 2) + Math.round(size / 2 ** octave)
}

/** The number that `codeOf` counted. */
function numberOf(code: number, plain: number): number {
  if (code <= plain) return code
  const octave = Math.floor(((code - plain) * 2) / plain) + 1
  return (code - plain - (octave - 2) * (plain / 2)) * 2 ** octave
}

/** Takes the least value from all and divides by the greatest common divisor, in place; 0 when all are equal. */
function reduce(integers: Float64Array): { least: number; divisor: number } {
  let least = Infinity
  for (const value of integers) if (value < least) least = value
  let divisor = 0
  for (const value of integers) {
    for (let rest = value - least; rest > 0;) [divisor, rest] = [rest, divisor % rest]
    if (divisor === 1) break
  }
  for (let i = 0; i < integers.length; i++) integers[i] = ((integers[i] ?? 0) - least) / (divisor || 1)
  return { least, divisor }
}

/** The order of differences whose bytes have the least entropy. */
function leastOf(integers: Float64Array): { order: number; planes: Uint8Array } {
  const once = differencesOf(integers)
  const candidates = [integers, zigzagged(once), zigzagged(differencesOf(once))].map(planesOf)
  const costs = candidates.map((planes) => entropyOf(planes, integers.length))
  const order = costs.indexOf(Math.min(...costs))
  return { order, planes: candidates[order] ?? new Uint8Array() }
}

/** The values that are not NaN; `values` itself where all are. */
function presentOf(values: Float64Array): Float64Array {
  let count = 0
  for (const value of values) if (!Number.isNaN(value)) count++
  if (count === values.length) return values
  const present = new Float64Array(count)
  let next = 0
  for (const value of values) if (!Number.isNaN(value)) present[next++] = value
  return present
}

function presence(values: Float64Array): Uint8Array {
  const bitmap = new Uint8Array(Math.ceil(values.length / 8))
  for (let i = 0; i < values.length; i++) {
    if (!Number.isNaN(values[i])) bitmap[i >> 3] = (bitmap[i >> 3] ?? 0) | (1 << (i & 7))
  }
  return bitmap
}

/** The first value stays; each other becomes its distance from the one before. */
function differencesOf(values: Float64Array): Float64Array {
  const differences = new Float64Array(values.length)
  let previous = 0
  for (let i = 0; i < values.length; i++) {
    differences[i] = (values[i] ?? 0) - previous
    previous = values[i] ?? 0
  }
  return differences
}

function zigzagged(values: Float64Array): Float64Array {
  const folded = new Float64Array(values.length)
  for (let i = 0; i < values.length; i++) folded[i] = zigzag(values[i] ?? 0)
  return folded
}

function sumUp(values: Float64Array): void {
  let sum = 0
  for (let i = 0; i < values.length; i++) {
    sum += values[i] ?? 0
    values[i] = sum
  }
}

/** All lowest bytes, then all second ones, as many as the largest value needs. */
function planesOf(values: Float64Array): Uint8Array {
  let largest = 0
  for (const value of values) if (value > largest) largest = value
  let width = 1
  while (width < 7 && largest >= 256 ** width) width++
  const count = values.length
  const planes = new Uint8Array(count * width)
  for (let i = 0; i < count; i++) {
    const value = values[i] ?? 0
    let low = value >>> 0
    for (let at = i; low > 0; at += count) {
      planes[at] = low
      low >>>= 8
    }
    let high = width > 4 ? Math.floor(value / 2 ** 32) : 0
    for (let at = i + 4 * count; high > 0; at += count) {
      planes[at] = high
      high >>>= 8
    }
  }
  return planes
}

function fromPlanes(planes: Uint8Array, count: number): Float64Array {
  const values = new Float64Array(count)
  let weight = 1
  for (let start = 0; start < planes.length; start += count) {
    for (let i = 0; i < count; i++) values[i] = (values[i] ?? 0) + (planes[start + i] ?? 0) * weight
    weight *= 256
  }
  return values
}

/** Bits that an ideal coder of single bytes needs, plane by plane: what zstd comes near to. */
function entropyOf(planes: Uint8Array, count: number): number {
  let bits = 0
  const seen = new Uint32Array(256)
  for (let start = 0; start < planes.length; start += count) {
    seen.fill(0)
    for (let i = start; i < start + count; i++) {
      const byte = planes[i] ?? 0
      seen[byte] = (seen[byte] ?? 0) + 1
    }
    for (const times of seen) if (times > 0) bits += times * Math.log2(count / times)
  }
  return bits
}
