import { AppError, fail, ok, type Clock } from '../../src/base/index.ts'
import type { MetricSource, Reading } from '../../src/engine/telemetry/index.ts'

export interface SimulatedHost extends MetricSource {
  /** From now on, it does not answer. */
  silence(): void
}

/** A remote host in this process: `seriesCount` series of which the first is its CPU. */
export function simulatedHost(
  hostId: string,
  { clock, seriesCount = 1, cpu = () => 0.5 }: { clock: Clock; seriesCount?: number; cpu?: () => number },
): SimulatedHost {
  let isSilent = false
  const series = Array.from({ length: seriesCount }, (_, n) =>
    n === 0
      ? { name: 'cpu.busy' as const, labels: {}, unit: 'ratio' as const }
      : { name: 'disk.read' as const, labels: { device: `sd${n}` }, unit: 'bytes_per_second' as const },
  )
  return {
    hostId,
    isRemote: true,
    silence: () => (isSilent = true),
    catalog: () => ({ version: 1, series }),
    facts: () =>
      Promise.resolve({
        hostname: hostId,
        platform: 'linux',
        osName: 'Simulated',
        kernel: '1',
        arch: 'x64',
        cpuModel: 'none',
        coreCount: 1,
        memoryBytes: 1,
        bootedAtMs: 0,
      }),
    read: () => {
      if (isSilent) return Promise.resolve(fail(new AppError('UNAVAILABLE', `${hostId} does not answer.`)))
      const values = new Float64Array(seriesCount).fill(1000)
      values[0] = cpu()
      return Promise.resolve(
        ok<Reading>({
          atMs: clock.nowMs(),
          monotonicMs: clock.monotonicMs(),
          catalogVersion: 1,
          values,
          counterResets: [],
        }),
      )
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
