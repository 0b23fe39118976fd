import type { Forecast, Series } from '../../../contract/index.ts'
import { seriesFinder, type LimitPair } from './panels.ts'

export interface FilesystemRow {
  mount: string
  device: string
  sizeBytes: number
  usedBytes: number
  availableBytes: number
  /** Used of what an ordinary user could use, as `df` counts; NaN when not measured. */
  spaceShare: number
  inodesUsed: number
  inodesTotal: number
  /** NaN where the filesystem does not count inodes. */
  inodeShare: number
  severity: 'ok' | 'warning' | 'critical' | 'stale'
  forecast: string
}

/** One row a mount, the fullest first. `valueOf` gives the newest figure of a series id, NaN without one. */
export function filesystemRows(
  series: readonly Series[],
  valueOf: (seriesId: number | undefined) => number,
  forecasts: readonly Forecast[],
  limit: LimitPair | undefined,
): FilesystemRow[] {
  const find = seriesFinder(series)
  return series
    .filter(({ name }) => name === 'filesystem.size')
    .map(({ id, labels }): FilesystemRow => {
      const value = (name: Parameters<typeof find>[0]) => valueOf(find(name, labels)?.id)
      const usedBytes = value('filesystem.used')
      const availableBytes = value('filesystem.available')
      const inodesTotal = value('filesystem.inodes_total')
      const inodesUsed = value('filesystem.inodes_used')
      const usableBytes = usedBytes + availableBytes
      const spaceShare = usableBytes > 0 ? usedBytes / usableBytes : Number.NaN
      const inodeShare = inodesTotal > 0 ? inodesUsed / inodesTotal : Number.NaN
      const worst = Math.max(
        Number.isNaN(spaceShare) ? 0 : spaceShare,
        Number.isNaN(inodeShare) ? 0 : inodeShare,
      )
      return {
        mount: labels['mount'] ?? '',
        device: labels['device'] ?? '',
        sizeBytes: valueOf(id),
        usedBytes,
        availableBytes,
        spaceShare,
        inodesUsed,
        inodesTotal,
        inodeShare,
        severity: Number.isNaN(spaceShare)
          ? 'stale'
          : limit && worst >= limit.critical
            ? 'critical'
            : limit && worst >= limit.warning
              ? 'warning'
              : 'ok',
        forecast: forecasts.find(({ subject }) => subject === labels['mount'])?.text ?? '',
      }
    })
    .sort((a, b) => (b.spaceShare || 0) - (a.spaceShare || 0) || a.mount.localeCompare(b.mount))
}
