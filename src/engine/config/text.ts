import { fail, ok, type Result } from '../../base/index.ts'
import type { ConfigProblem } from '../../contract/index.ts'

export const maxConfigBytes = 2 ** 20

const problem = (
  file: string,
  line: number,
  column: number,
  message: string,
  hint: string,
): ConfigProblem => ({
  file,
  line,
  column,
  path: '',
  message,
  hint,
})

/** Length of the longest well-formed start of `bytes`, found by halving. */
function wellFormedLength(bytes: Uint8Array): number {
  const isWellFormed = (length: number) => {
    try {
      new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, length), {
        stream: true,
      })
      return true
    } catch {
      return false
    }
  }
  let good = 0
  let bad = bytes.length + 1
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (isWellFormed(middle)) good = middle
    else bad = middle
  }
  return good
}

/** The text of a config file: at most 1 MiB of UTF-8, with or without a byte order mark. */
export function decodeConfig(file: string, bytes: Uint8Array): Result<string, ConfigProblem[]> {
  if (bytes.length > maxConfigBytes) {
    const found = `found ${bytes.length} bytes, expected at most ${maxConfigBytes} (1 MiB)`
    return fail([problem(file, 1, 1, found, 'is this the right file?')])
  }
  const isUtf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)
  if (isUtf16) {
    return fail([problem(file, 1, 1, 'found UTF-16 text, expected UTF-8', 'save the file as UTF-8')])
  }
  try {
    return ok(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    const lines = new TextDecoder().decode(bytes.subarray(0, wellFormedLength(bytes))).split('\n')
    const message = 'found bytes that are not UTF-8 text'
    return fail([
      problem(file, lines.length, (lines.at(-1)?.length ?? 0) + 1, message, 'save the file as UTF-8'),
    ])
  }
}
