import type { ChunkTable, ChunkPlace } from './chunk-table.ts'
import {
  hours,
  keptMs,
  minutes,
  type Resolution,
  resolutions,
  type Retention,
  samples,
} from './resolutions.ts'

/** Stretches of time deleted at once, at most: deleting is write load too, and more will come in the next round. */
const spansPerRound = 8

/** What part of a host's bytes each resolution may keep when they do not fit; one past its part goes first. */
const shares = new Map<Resolution, number>([
  [samples, 0.5],
  [minutes, 0.4],
  [hours, 0.1],
])

/**
 * Deletes what a host has beyond its age or beyond its bytes, oldest first; to be run in one transaction. A block
 * goes when its last row is too old. True when there may be more to delete.
 */
export function retire(
  chunks: ChunkTable,
  host: { id: number; groupCount: number },
  retention: Retention,
  nowMs: number,
): boolean {
  let isMore = false
  for (const resolution of resolutions) {
    const keptFromMs = nowMs - keptMs(retention, resolution)
    for (let span = 0; span < spansPerRound; span++) {
      const oldest = oldestT0(chunks, host, resolution)
      if (oldest === undefined || oldest + resolution.spanMs > keptFromMs) break
      dropSpan(chunks, host, resolution, oldest)
      isMore ||= span === spansPerRound - 1
    }
  }
  for (let span = 0; span < spansPerRound; span++) {
    const used = resolutions.map((resolution) => chunks.usedBytes(host.id, resolution))
    if (used.reduce((sum, bytes) => sum + bytes, 0) <= retention.bytesPerHost) return isMore
    const pressures = resolutions.map((resolution, i) => (used[i] ?? 0) / (shares.get(resolution) ?? 1))
    const resolution = resolutions[pressures.indexOf(Math.max(...pressures))] ?? samples
    const oldest = oldestT0(chunks, host, resolution)
    if (oldest === undefined) return isMore
    dropSpan(chunks, host, resolution, oldest)
  }
  return true
}

type Host = Parameters<typeof retire>[1]

const placesOf = (host: Host, resolution: Resolution): ChunkPlace[] =>
  Array.from({ length: host.groupCount }, (_, group) => ({ hostId: host.id, resolution, group }))

function oldestT0(chunks: ChunkTable, host: Host, resolution: Resolution): number | undefined {
  const starts = placesOf(host, resolution).flatMap((place) => chunks.oldestT0(place) ?? [])
  return starts.length > 0 ? Math.min(...starts) : undefined
}

function dropSpan(chunks: ChunkTable, host: Host, resolution: Resolution, t0: number): void {
  for (const place of placesOf(host, resolution)) chunks.drop(place, t0)
}
