import { AppError } from '../../../base/index.ts'
import { type Chart } from '../../../contract/index.ts'
import type { ChartQuery } from '../../../engine/telemetry/index.ts'
import { Bins } from './bins.ts'
import type { Block } from './block.ts'
import type { StoredSeries } from './catalog.ts'
import type { ChunkTable } from './chunk-table.ts'
import type { Tables } from './closing.ts'
import { mergeBlocks } from './merge.ts'
import { floorTo, type Resolution, resolutions, samples } from './resolutions.ts'
import { rollupKeys, summaryOf } from './rollup.ts'
import { type Points, pointsOf } from './sample-points.ts'

/** Bins narrower than the usual distance of samples would be mostly empty. */
const narrowestBinMs = 1000

/** Equal bins on whole multiples of their width, so that a chart that moves on keeps its bins. */
interface Grid {
  startMs: number
  stepMs: number
  count: number
}

/**
 * Series over [fromMs, toMs], both included, in at most `maxPoints` points each.
 *
 * The coarsest resolution that has that many points in the range serves it, or a coarser one where the range begins
 * before the finer data does. Samples that fit are given as taken (`stepMs` 0; minimum, mean and maximum are then
 * one and the same array), with a NaN point in each gap; otherwise a point is a bin, its time the bin's start, and
 * an empty bin is NaN. The first and the last bin are whole, so they may reach past the range. `pending` are rows
 * that are not on disk yet.
 *
 * Throws AppError NOT_FOUND for a series the host does not have, BAD_INPUT for a range or `maxPoints` without sense.
 */
export function drawChart(tables: Tables, query: ChartQuery, pending: readonly Block[]): Chart {
  const { hostId: hostName, fromMs, toMs, maxPoints } = query
  if (!(fromMs <= toMs)) throw new AppError('BAD_INPUT', 'The chart ends before it begins.')
  if (!(maxPoints >= 2)) throw new AppError('BAD_INPUT', 'A chart needs at least two points.')
  const hostId = tables.catalog.hostIdOf(hostName)
  const series = query.seriesIds.map((id) => {
    const stored = tables.catalog.seriesOf(id)
    if (!stored || stored.hostId !== hostId)
      throw new AppError('NOT_FOUND', `Host ${hostName} has no series ${id}.`)
    return stored
  })
  const groups = Map.groupBy(series, ({ group }) => group)
  const resolution = resolutionFor(tables, hostId ?? -1, groups.keys(), query, pending)
  const grid = gridFor(query, resolution)
  const recent = recentBlocks(tables, hostId ?? -1, grid, new Set(query.seriesIds), pending)
  const drawn = new Map<number, Points>()
  const fresh = new Map<number, Block>()
  for (const [group, ofGroup] of groups) {
    const ids = new Set(ofGroup.map(({ id }) => id))
    const place = { hostId: hostId ?? -1, resolution: samples, group }
    const closed = resolution === samples ? tables.chunks.range(place, grid.startMs, endOf(grid), ids) : []
    fresh.set(group, mergeBlocks([...closed, ...recent].flatMap((block) => restrict(block, ids))))
  }
  const asTaken = resolution === samples ? [...fresh.values()].map((block) => pointsOf(block, query)) : []
  const isAsTaken = resolution === samples && asTaken.every((points) => points !== undefined)
  if (isAsTaken) {
    for (const points of asTaken) points.forEach((value, id) => drawn.set(id, value))
  } else {
    for (const [group, ofGroup] of groups) {
      const block = fresh.get(group) ?? { timesMs: new Float64Array(), columns: [] }
      binned(tables.chunks, { hostId: hostId ?? -1, resolution, group }, ofGroup, grid, block, drawn)
    }
  }
  const nothing = new Float64Array()
  const empty: Points = { timesMs: nothing, min: nothing, mean: nothing, max: nothing }
  return {
    hostId: hostName,
    fromMs,
    toMs,
    stepMs: isAsTaken ? 0 : grid.stepMs,
    series: query.seriesIds.map((seriesId) => ({ seriesId, ...(drawn.get(seriesId) ?? empty) })),
  }
}

function binned(
  chunks: ChunkTable,
  place: { hostId: number; resolution: Resolution; group: number },
  series: readonly StoredSeries[],
  grid: Grid,
  recent: Block,
  drawn: Map<number, Points>,
): void {
  const all = series.map(({ id }) => ({ id, bins: new Bins(grid.startMs, grid.stepMs, grid.count) }))
  if (place.resolution !== samples) {
    const wanted = rollupKeys(series.map(({ id }) => id))
    for (const block of chunks.range(place, grid.startMs, endOf(grid), wanted)) {
      for (const { id, bins } of all) {
        const summary = summaryOf(block, id)
        if (summary) bins.addPoints(block.timesMs, summary)
      }
    }
  }
  const values = new Map(recent.columns.map((column) => [column.key, column.values]))
  for (const { id, bins } of all) {
    const column = values.get(id)
    if (column) bins.addSamples(recent.timesMs, column)
    drawn.set(id, { timesMs: bins.timesMs(), min: bins.min, mean: bins.mean(), max: bins.max })
  }
}

/** See `drawChart`. A coarser one serves only where it has what the finer one has no longer. */
function resolutionFor(
  { chunks, tail }: Tables,
  hostId: number,
  groups: Iterable<number>,
  { fromMs, toMs, maxPoints }: ChartQuery,
  pending: readonly Block[],
): Resolution {
  const oldestRecentMs = pending.reduce(
    (oldest, block) => Math.min(oldest, block.timesMs[0] ?? Infinity),
    tail.oldestT0(hostId) ?? Infinity,
  )
  let chosen = resolutions.findLastIndex(({ stepMs }) => stepMs * maxPoints <= toMs - fromMs)
  for (const group of groups) {
    const reachesBack = (coarser: Resolution, sinceMs: number) => {
      const place = { hostId, resolution: coarser, group }
      if (sinceMs > toMs) return chunks.hasBetween(place, floorTo(fromMs, coarser.stepMs), toMs + 1)
      // The point that the oldest row of the finer one has gone into begins before it and tells no more.
      return chunks.hasBetween(place, fromMs, sinceMs - coarser.stepMs)
    }
    for (;;) {
      const resolution = resolutions[chosen] ?? samples
      const sinceMs = Math.min(chunks.firstMs({ hostId, resolution, group }) ?? Infinity, oldestRecentMs)
      const next = resolutions.findIndex((other, i) => i > chosen && reachesBack(other, sinceMs))
      if (next < 0) break
      chosen = next
    }
  }
  return resolutions[chosen] ?? samples
}

function gridFor({ fromMs, toMs, maxPoints }: ChartQuery, resolution: Resolution): Grid {
  const unitMs = resolution.stepMs || narrowestBinMs
  // One bin fewer than asked: a range that is no multiple of the step cuts into one more.
  const stepMs = unitMs * Math.max(1, Math.ceil((toMs - fromMs) / (unitMs * (Math.floor(maxPoints) - 1))))
  const startMs = floorTo(fromMs, stepMs)
  return { startMs, stepMs, count: (floorTo(toMs, stepMs) - startMs) / stepMs + 1 }
}

const endOf = (grid: Grid): number => grid.startMs + grid.stepMs * grid.count - 1

/** What is in no chunk yet, so in no roll-up either. */
function recentBlocks(
  { tail }: Tables,
  hostId: number,
  grid: Grid,
  wanted: ReadonlySet<number>,
  pending: readonly Block[],
): Block[] {
  return [...tail.range(hostId, grid.startMs, endOf(grid), wanted), ...pending]
}

function restrict(block: Block, ids: ReadonlySet<number>): Block[] {
  const columns = block.columns.filter(({ key }) => ids.has(key))
  return columns.length > 0 ? [{ timesMs: block.timesMs, columns }] : []
}
