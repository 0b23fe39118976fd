/** A map whose keys are looked up as ranges of bytes, so that a known name costs no string. */
export class ByteNames<T> {
  #buckets = new Map<number, { bytes: Uint8Array; value: T }[]>()
  #size = 0

  get size(): number {
    return this.#size
  }

  clear(): void {
    this.#buckets.clear()
    this.#size = 0
  }

  set(name: string, value: T): void {
    const bytes = new TextEncoder().encode(name)
    const hash = hashOf(bytes, 0, bytes.length)
    const bucket = this.#buckets.get(hash)
    this.#size += 1
    if (bucket) bucket.push({ bytes, value })
    else this.#buckets.set(hash, [{ bytes, value }])
  }

  get(bytes: Uint8Array, start: number, end: number): T | undefined {
    const bucket = this.#buckets.get(hashOf(bytes, start, end))
    if (bucket === undefined) return undefined
    for (let i = 0; i < bucket.length; i++) {
      if (isSame(bucket[i]!.bytes, bytes, start, end)) return bucket[i]!.value
    }
    return undefined
  }
}

/** FNV-1a, kept to 30 bits so that it stays a small integer. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  return hash & 0x3fffffff
}

function isSame(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[start + i]) return false
  return true
}
