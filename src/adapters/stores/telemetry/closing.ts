import type { Block } from './block.ts'
import type { Catalog } from './catalog.ts'
import type { ChunkTable, ChunkPlace } from './chunk-table.ts'
import { mergeBlocks } from './merge.ts'
import { floorTo, hours, minutes, type Resolution, samples } from './resolutions.ts'
import { rollUp, rollUpAgain } from './rollup.ts'
import type { TailTable, Window } from './tail-table.ts'

export interface Tables {
  catalog: Catalog
  chunks: ChunkTable
  tail: TailTable
}

/**
 * Makes chunks of a window's tail and brings its roll-ups up to date; to be run in one transaction. Rows that come
 * after their window was closed are merged into its chunk the same way, the later value winning, so that closing
 * twice, early or late does no harm.
 */
export function closeWindow({ catalog, chunks, tail }: Tables, window: Window): void {
  for (const [group, fresh] of splitByGroup(catalog, tail.read(window))) {
    const place: ChunkPlace = { hostId: window.hostId, group, resolution: samples }
    const before = chunks.read(place, window.t0)
    const block = mergeBlocks(before ? [before, ...fresh] : fresh)
    if (block.timesMs.length === 0) continue
    chunks.write(place, window.t0, block)
    rollUpWindow(chunks, place, window.t0, block, before !== undefined)
  }
  tail.drop(window)
}

/** `isWhole`: the block has all there ever was of its window, so its points replace those made before. */
function rollUpWindow(
  chunks: ChunkTable,
  place: ChunkPlace,
  t0: number,
  block: Block,
  isWhole: boolean,
): void {
  const minutePlace = { ...place, resolution: minutes }
  const fresh = rollUp(block, minutes.stepMs)
  if (fresh.timesMs.length === 0) return
  const minutesBefore = chunks.read(minutePlace, floorTo(t0, minutes.spanMs))
  const allMinutes = update(chunks, minutePlace, t0, minutesBefore, fresh, isWhole)

  const hourPlace = { ...place, resolution: hours }
  const hourMs = floorTo(t0, hours.stepMs)
  const hoursBefore = chunks.read(hourPlace, floorTo(t0, hours.spanMs))
  const hour = rollUpAgain([rowsBetween(allMinutes, hourMs, hourMs + hours.stepMs)], hours.stepMs)
  update(chunks, hourPlace, t0, hoursBefore, hour, minutesBefore !== undefined)
}

function update(
  chunks: ChunkTable,
  place: ChunkPlace,
  timeMs: number,
  before: Block | undefined,
  fresh: Block,
  isWhole: boolean,
): Block {
  const { stepMs, spanMs }: Resolution = place.resolution
  const isNew = isWhole || (before?.timesMs.at(-1) ?? -Infinity) < (fresh.timesMs[0] ?? NaN)
  const all = !before ? fresh : isNew ? mergeBlocks([before, fresh]) : rollUpAgain([before, fresh], stepMs)
  chunks.write(place, floorTo(timeMs, spanMs), all)
  return all
}

function splitByGroup(catalog: Catalog, blocks: readonly Block[]): Map<number, Block[]> {
  const groups = new Map<number, Block[]>()
  for (const block of blocks) {
    const columns = Map.groupBy(block.columns, ({ key }) => catalog.seriesOf(key)?.group)
    for (const [group, ofGroup] of columns) {
      if (group === undefined) continue
      const part = { timesMs: block.timesMs, columns: ofGroup }
      const parts = groups.get(group)
      if (parts) parts.push(part)
      else groups.set(group, [part])
    }
  }
  return groups
}

function rowsBetween(block: Block, fromMs: number, beforeMs: number): Block {
  const start = block.timesMs.findIndex((timeMs) => timeMs >= fromMs)
  const end = block.timesMs.findLastIndex((timeMs) => timeMs < beforeMs) + 1
  return {
    timesMs: block.timesMs.slice(start, end),
    columns: block.columns.map((column) => ({ ...column, values: column.values.slice(start, end) })),
  }
}
