import type { Block, BlockColumn } from './block.ts'

/**
 * One block of all rows, in order of time. Where two blocks have the same column at the same time, the later block
 * of the list wins; within a block, the later row. A column that a block does not have is NaN in its rows.
 */
export function mergeBlocks(blocks: readonly Block[]): Block {
  const filled = blocks.filter((block) => block.timesMs.length > 0)
  const only = filled[0]
  if (only && filled.length === 1 && isRising(only.timesMs)) return only
  return followsOn(filled) ? concatenate(filled) : interleave(filled)
}

function concatenate(blocks: readonly Block[]): Block {
  const count = blocks.reduce((sum, block) => sum + block.timesMs.length, 0)
  const timesMs = new Float64Array(count)
  const columns = new Map<number, BlockColumn>()
  let start = 0
  for (const block of blocks) {
    timesMs.set(block.timesMs, start)
    for (const column of block.columns) columnOf(columns, column, count).values.set(column.values, start)
    start += block.timesMs.length
  }
  return { timesMs, columns: [...columns.values()] }
}

function interleave(blocks: readonly Block[]): Block {
  const distinct = new Set<number>()
  for (const block of blocks) for (const timeMs of block.timesMs) distinct.add(timeMs)
  const timesMs = Float64Array.from(distinct).sort()
  const rowOf = new Map<number, number>()
  timesMs.forEach((timeMs, row) => rowOf.set(timeMs, row))
  const columns = new Map<number, BlockColumn>()
  for (const block of blocks) {
    const rows = Array.from(block.timesMs, (timeMs) => rowOf.get(timeMs) ?? 0)
    for (const column of block.columns) {
      const { values } = columnOf(columns, column, timesMs.length)
      rows.forEach((row, i) => (values[row] = column.values[i] ?? NaN))
    }
  }
  return { timesMs, columns: [...columns.values()] }
}

function columnOf(columns: Map<number, BlockColumn>, like: BlockColumn, count: number): BlockColumn {
  const known = columns.get(like.key)
  if (known) return known
  const column = { ...like, values: new Float64Array(count).fill(NaN) }
  columns.set(like.key, column)
  return column
}

/** Whether each block is in order and starts after the one before it has ended: what a well clock writes. */
function followsOn(blocks: readonly Block[]): boolean {
  let lastMs = -Infinity
  for (const { timesMs } of blocks) {
    if (!((timesMs[0] ?? 0) > lastMs) || !isRising(timesMs)) return false
    lastMs = timesMs[timesMs.length - 1] ?? lastMs
  }
  return true
}

function isRising(timesMs: Float64Array): boolean {
  for (let i = 1; i < timesMs.length; i++) if (!((timesMs[i] ?? 0) > (timesMs[i - 1] ?? 0))) return false
  return true
}
