import type { LogEntry } from '../model/deployments.ts'

/** A sentence is not repeated within this many lines of the decision log. */
export const noRepeatLines = 4

/**
 * The decision log as people read it, oldest first: a judgment, the pause for it and the rollback for it are an entry each
 * with the same reason, which is told once. `before` is the part of the log that the reader has seen already.
 */
export function readableLog(log: readonly LogEntry[], before: readonly LogEntry[] = []): LogEntry[] {
  const said = before.slice(-noRepeatLines).map(({ text }) => text)
  const readable: LogEntry[] = []
  for (const entry of [...log].sort((a, b) => a.atMs - b.atMs)) {
    const recent = said.slice(-noRepeatLines)
    said.push(entry.text)
    if (recent.includes(entry.text)) continue
    const known = recent.find((text) => entry.text.endsWith(`: ${text}`))
    const text = known === undefined ? entry.text : entry.text.slice(0, -known.length - 2)
    readable.push(text === entry.text ? entry : { ...entry, text })
  }
  return readable
}
