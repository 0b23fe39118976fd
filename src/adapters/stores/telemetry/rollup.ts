import { Bins, type Summary } from './bins.ts'
import type { Block } from './block.ts'
import { allBits, type Precision } from './column.ts'
import { floorTo } from './resolutions.ts'

const parts = ['min', 'mean', 'max', 'counts'] as const

/** The column of a roll-up block that holds one part of a series. */
const rollupKey = (seriesId: number, part: (typeof parts)[number]): number =>
  seriesId * parts.length + parts.indexOf(part)

/** All columns of these series in roll-up blocks. */
export const rollupKeys = (seriesIds: Iterable<number>): Set<number> =>
  new Set([...seriesIds].flatMap((id) => parts.map((part) => rollupKey(id, part))))

/** What a roll-up block tells of a series, or undefined when it has nothing of it. */
export function summaryOf(block: Block, seriesId: number): Summary | undefined {
  const [min, mean, max, counts] = parts.map(
    (part) => block.columns.find((column) => column.key === rollupKey(seriesId, part))?.values,
  )
  return min && mean && max && counts ? { min, mean, max, counts } : undefined
}

/** A block of samples as a roll-up block: a row for each step of `stepMs` in which anything was measured. */
export function rollUp(block: Block, stepMs: number): Block {
  const series = block.columns.map(({ key, scale, bits }) => ({ id: key, precision: { scale, bits } }))
  const values = new Map(block.columns.map((column) => [column.key, column.values]))
  return collect([block.timesMs], series, stepMs, (bins, id) =>
    bins.addSamples(block.timesMs, values.get(id) ?? new Float64Array()),
  )
}

/** Roll-up blocks as one of a coarser (or the same) step; rows of the same step add up. */
export function rollUpAgain(blocks: readonly Block[], stepMs: number): Block {
  const precisions = new Map<number, Precision>()
  for (const { columns } of blocks) {
    for (const { key, scale, bits } of columns) {
      const id = Math.floor(key / parts.length)
      if (key === rollupKey(id, 'mean')) precisions.set(id, { scale, bits })
    }
  }
  const series = [...precisions].map(([id, precision]) => ({ id, precision }))
  const times = blocks.map((block) => block.timesMs)
  return collect(times, series, stepMs, (bins, id) => {
    for (const block of blocks) {
      const summary = summaryOf(block, id)
      if (summary) bins.addPoints(block.timesMs, summary)
    }
  })
}

function collect(
  times: readonly Float64Array[],
  series: readonly { id: number; precision: Precision }[],
  stepMs: number,
  fill: (bins: Bins, id: number) => void,
): Block {
  let firstMs = Infinity
  let lastMs = -Infinity
  for (const column of times) {
    for (const timeMs of column) {
      if (timeMs < firstMs) firstMs = timeMs
      if (timeMs > lastMs) lastMs = timeMs
    }
  }
  if (firstMs > lastMs) return { timesMs: new Float64Array(), columns: [] }
  const startMs = floorTo(firstMs, stepMs)
  const count = (floorTo(lastMs, stepMs) - startMs) / stepMs + 1
  const filled = series.map(({ id, precision }) => {
    const bins = new Bins(startMs, stepMs, count)
    fill(bins, id)
    return { id, precision, bins }
  })
  const rows = Array.from({ length: count }, (_, row) => row).filter((row) =>
    filled.some(({ bins }) => (bins.counts[row] ?? 0) > 0),
  )
  const pick = (values: Float64Array) => Float64Array.from(rows, (row) => values[row] ?? NaN)
  return {
    timesMs: Float64Array.from(rows, (row) => startMs + row * stepMs),
    columns: filled.flatMap(({ id, precision, bins }) => [
      { key: rollupKey(id, 'min'), ...precision, values: pick(bins.min) },
      { key: rollupKey(id, 'mean'), ...precision, values: pick(bins.mean()) },
      { key: rollupKey(id, 'max'), ...precision, values: pick(bins.max) },
      { key: rollupKey(id, 'counts'), scale: 1, bits: allBits, values: pick(bins.counts) },
    ]),
  }
}
