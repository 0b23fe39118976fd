/** Growing output of bytes; integers are little-endian base-128, low bits first. */
export class ByteWriter {
  #bytes: Uint8Array
  #view: DataView
  length = 0

  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity)
    this.#view = new DataView(this.#bytes.buffer)
  }

  byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.length++] = value
  }

  /** An integer in [0, 2^53]. */
  varint(value: number): void {
    this.#reserve(8)
    let rest = value
    while (rest >= 0x80000000) {
      this.#bytes[this.length++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    while (rest >= 0x80) {
      this.#bytes[this.length++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#bytes[this.length++] = rest
  }

  /** An integer in [-2^52, 2^52], small when near zero. */
  signed(value: number): void {
    this.varint(zigzag(value))
  }

  double(value: number): void {
    this.#reserve(8)
    this.#view.setFloat64(this.length, value, true)
    this.length += 8
  }

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  /** What was written; valid until the next write. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.length)
  }

  clear(): void {
    this.length = 0
  }

  #reserve(count: number): void {
    if (this.length + count <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + count))
    grown.set(this.#bytes)
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}

/** Reads what `ByteWriter` wrote. Throws RangeError at the end of the input or on an integer beyond 2^53. */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  offset = 0

  constructor(bytes: Uint8Array) {
    // A Buffer's own slice would share memory where that of an array copies.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  byte(): number {
    const value = this.#bytes[this.offset]
    if (value === undefined) throw new RangeError('the block ends early')
    this.offset++
    return value
  }

  varint(): number {
    let byte = this.byte()
    if (byte < 0x80) return byte
    let value = byte & 0x7f
    let factor = 128
    do {
      byte = this.byte()
      value += (byte & 0x7f) * factor
      factor *= 128
    } while (byte >= 0x80 && factor < 2 ** 56)
    if (byte >= 0x80 || value > Number.MAX_SAFE_INTEGER) throw new RangeError('an integer is too long')
    return value
  }

  signed(): number {
    return unzigzag(this.varint())
  }

  double(): number {
    const value = this.#view.getFloat64(this.offset, true)
    this.offset += 8
    return value
  }

  take(count: number): Uint8Array {
    if (this.offset + count > this.#bytes.length) throw new RangeError('the block ends early')
    this.offset += count
    return this.#bytes.subarray(this.offset - count, this.offset)
  }
}

export const zigzag = (value: number): number => (value < 0 ? -value * 2 - 1 : value * 2)
export const unzigzag = (value: number): number => (value % 2 === 0 ? value / 2 : -(value + 1) / 2)
