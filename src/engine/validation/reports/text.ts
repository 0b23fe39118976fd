/** The text of a report: UTF-8, or UTF-16 with its mark, as shells of Windows write it. A clause when it is neither. */
export function decodeReport(bytes: Uint8Array): { text: string } | { why: string } {
  const [first, second] = bytes
  const encoding =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8'
  try {
    return { text: new TextDecoder(encoding, { fatal: true }).decode(bytes) }
  } catch {
    return { why: `it is not ${encoding.toUpperCase()}` }
  }
}
