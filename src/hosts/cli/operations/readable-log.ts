import type { LogEntry } from '../../../contract/index.ts'

/** So many lines back a person still has a sentence before the eyes. */
export const lately = 4

/**
 * The entries in the order of their times, each sentence once: a judgement, the pause for it and the rollback for it come as
 * one entry each, with the same reason. `before` is what the reader has seen already.
 */
export function readableLog(log: readonly LogEntry[], before: readonly LogEntry[] = []): LogEntry[] {
  const said = before.slice(-lately).map(({ text }) => text)
  const readable: LogEntry[] = []
  for (const entry of [...log].sort((a, b) => a.atMs - b.atMs)) {
    const recent = said.slice(-lately)
    said.push(entry.text)
    if (recent.includes(entry.text)) continue
    const known = recent.find((text) => entry.text.endsWith(`: ${text}`))
    const text = known === undefined ? entry.text : entry.text.slice(0, -known.length - 2)
    readable.push({ ...entry, text })
  }
  return readable
}
