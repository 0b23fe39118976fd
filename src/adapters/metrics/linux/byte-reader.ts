const newline = 10
const space = 32
const tab = 9
const minus = 45
const dot = 46
const zero = 48
const nine = 57

/**
 * Reads kernel text byte by byte, without making a string. One reader is filled again for every sample.
 * Nothing here leaves the current line but `nextLine`.
 */
export class ByteReader {
  bytes: Uint8Array = new Uint8Array(0)
  end = 0
  at = 0

  reset(bytes: Uint8Array, length = bytes.length): this {
    this.bytes = bytes
    this.end = length
    this.at = 0
    return this
  }

  get isAtEnd(): boolean {
    return this.at >= this.end
  }

  get isAtLineEnd(): boolean {
    return this.at >= this.end || this.bytes[this.at] === newline
  }

  skipBlanks(): void {
    while (this.at < this.end && (this.bytes[this.at] === space || this.bytes[this.at] === tab)) this.at++
  }

  /** To the beginning of the next line. */
  nextLine(): void {
    const found = this.bytes.indexOf(newline, this.at)
    this.at = found < 0 || found >= this.end ? this.end : found + 1
  }

  /** Past blanks and one word; the word is from the returned position to `at`. */
  word(): number {
    this.skipBlanks()
    const start = this.at
    while (this.at < this.end) {
      const byte = this.bytes[this.at]!
      if (byte === space || byte === tab || byte === newline) break
      this.at++
    }
    return start
  }

  /** Goes behind the next `byte` of this line; false, at the line's end, when it has none. */
  skipPast(byte: number): boolean {
    while (!this.isAtLineEnd) if (this.bytes[this.at++] === byte) return true
    return false
  }

  /** Past blanks and a decimal number; NaN where there is none (without moving on) or it is no finite one. */
  number(): number {
    this.skipBlanks()
    const start = this.at
    const isNegative = this.at < this.end && this.bytes[this.at] === minus
    if (isNegative) this.at++
    const digitsStart = this.at
    let value = this.#digits()
    if (this.at === digitsStart) {
      this.at = start
      return NaN
    }
    if (this.at < this.end && this.bytes[this.at] === dot) {
      const fractionStart = ++this.at
      const fraction = this.#digits()
      value += fraction / 10 ** (this.at - fractionStart)
    }
    if (value === Infinity) return NaN
    return isNegative ? -value : value
  }

  text(start: number, end: number): string {
    return new TextDecoder().decode(this.bytes.subarray(start, end))
  }

  #digits(): number {
    let value = 0
    while (this.at < this.end) {
      const byte = this.bytes[this.at]!
      if (byte < zero || byte > nine) break
      value = value * 10 + (byte - zero)
      this.at++
    }
    return value
  }
}
