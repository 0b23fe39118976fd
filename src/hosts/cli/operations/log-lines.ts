import type { LogLine } from '../../../contract/index.ts'

/**
 * What was printed between two looks at the newest lines, in the order of the second. Equal lines of one instance and
 * millisecond are counted, not taken for one. `isGap` when nothing of the first look is left in the second, so that there
 * may have been more in between.
 */
export function newLines(
  before: readonly LogLine[],
  now: readonly LogLine[],
): { fresh: LogLine[]; isGap: boolean } {
  const known = new Map<string, number>()
  for (const line of before) known.set(keyOf(line), (known.get(keyOf(line)) ?? 0) + 1)
  const fresh = now.filter((line) => {
    const count = known.get(keyOf(line)) ?? 0
    if (count > 0) known.set(keyOf(line), count - 1)
    return count === 0
  })
  return { fresh, isGap: before.length > 0 && now.length > 0 && fresh.length === now.length }
}

const keyOf = ({ atMs, instanceId, stream, text }: LogLine) => `${atMs} ${instanceId} ${stream} ${text}`
