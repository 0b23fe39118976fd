/** Columns through oRPC's JSON: base64 of the little-endian bytes, a third smaller and far faster than digits. */
export const columnSerializer = {
  type: 30,
  condition: (value: unknown): boolean => value instanceof Float64Array,
  serialize: (value: Float64Array): string =>
    toBase64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)),
  deserialize: (text: string): Float64Array => new Float64Array(fromBase64(text).buffer),
}

function toBase64(bytes: Uint8Array): string {
  const parts: string[] = []
  // In slices: one call takes a limited number of arguments.
  for (let at = 0; at < bytes.length; at += 0x6000) {
    parts.push(String.fromCharCode(...bytes.subarray(at, at + 0x6000)))
  }
  return btoa(parts.join(''))
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const raw = atob(text)
  const bytes = new Uint8Array(raw.length)
  for (let at = 0; at < raw.length; at++) bytes[at] = raw.charCodeAt(at)
  return bytes
}
