/** Bytes of output that are kept of one check or hook. */
export const outputLimitBytes = 64 * 1024

const headBytes = 16 * 1024
/** Room for the line that says how much is missing. */
const markerBytes = 64

/**
 * Collects output of any length in constant memory: its beginning and its end, with a line between them that says how
 * much was left out. The text is at most `outputLimitBytes` in UTF-8.
 */
export class BoundedOutput {
  readonly #tailBytes = outputLimitBytes - headBytes - markerBytes
  #head = new Uint8Array(0)
  #tail: Uint8Array[] = []
  #tailLength = 0
  #droppedBytes = 0

  append(chunk: Uint8Array): void {
    const room = headBytes - this.#head.length
    if (room > 0) this.#head = joined([this.#head, chunk.subarray(0, room)])
    const rest = chunk.subarray(Math.max(0, room))
    if (rest.length === 0) return
    // A copy: a view would keep the whole of a large chunk alive.
    this.#tail.push(rest.slice(-this.#tailBytes))
    this.#droppedBytes += Math.max(0, rest.length - this.#tailBytes)
    this.#tailLength += Math.min(rest.length, this.#tailBytes)
    if (this.#tailLength > 2 * this.#tailBytes || this.#tail.length > 1000) this.#trim()
  }

  /** As UTF-8; a byte that is none of it shows as a question mark. */
  text(): string {
    this.#trim()
    const tail = joined(this.#tail)
    if (this.#droppedBytes === 0) return decoded(joined([this.#head, tail]))
    return `${decoded(this.#head)}\n… ${this.#droppedBytes} bytes left out …\n${decoded(tail)}`
  }

  #trim(): void {
    const whole = joined(this.#tail)
    const kept = whole.slice(-this.#tailBytes)
    this.#droppedBytes += whole.length - kept.length
    this.#tail = [kept]
    this.#tailLength = kept.length
  }
}

/** A text as it is kept: whole when it is short enough, otherwise its beginning and its end. */
export function cutOutput(text: string): string {
  const output = new BoundedOutput()
  output.append(new TextEncoder().encode(text))
  return output.text()
}

// The replacement character takes three bytes where one was wrong: a binary file would outgrow the limit.
const decoded = (bytes: Uint8Array): string => new TextDecoder().decode(bytes).replaceAll('\uFFFD', '?')

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
