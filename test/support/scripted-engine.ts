import type { Chart } from '../../src/contract/index.ts'
import { ok, seededRng, silentLog } from '../../src/engine/core/index.ts'
import { Engine } from '../../src/engine/index.ts'
import {
  defaultLimits,
  type MetricSource,
  type Reading,
  type TelemetryStore,
} from '../../src/engine/telemetry/index.ts'
import { emptySteering } from './empty-steering.ts'
import { systemClock } from '../../src/adapters/system/index.ts'

/** What a transport needs behind it: an engine whose host says what the test tells it to. */
export function scriptedEngine(seed = 1): { engine: Engine; setCpu(value: number): void } {
  const clock = systemClock()
  let cpu = 0.5
  const source: MetricSource = {
    hostId: 'local',
    catalog: () => ({ version: 1, series: [{ name: 'cpu.busy', labels: {}, unit: 'ratio' }] }),
    facts: () =>
      Promise.resolve({
        hostname: 'scripted',
        platform: 'linux',
        osName: 'Test',
        kernel: '1',
        arch: 'x64',
        cpuModel: 'none',
        coreCount: 1,
        memoryBytes: 1,
        bootedAtMs: 0,
      }),
    read: () =>
      Promise.resolve(
        ok<Reading>({
          atMs: clock.nowMs(),
          monotonicMs: clock.monotonicMs(),
          catalogVersion: 1,
          values: Float64Array.of(cpu),
          counterResets: [],
        }),
      ),
    topProcesses: () => Promise.resolve(ok([])),
    process: () => Promise.reject(new Error('a defect with a secret in its text')),
    connectionCounts: () => Promise.resolve(ok({ established: 3 })),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
  const telemetry: TelemetryStore = {
    registerSeries: (_hostId, keys) => Promise.resolve(keys.map((key, id) => ({ ...key, id }))),
    append: () => undefined,
    flush: () => Promise.resolve(ok(undefined)),
    chart: ({ hostId, fromMs, toMs, seriesIds }) =>
      Promise.resolve(
        ok<Chart>({
          hostId,
          fromMs,
          toMs,
          stepMs: 0,
          series: seriesIds.map((seriesId) => ({
            seriesId,
            timesMs: Float64Array.of(1, 2, 3),
            min: Float64Array.of(0.1, Number.NaN, -0),
            mean: Float64Array.of(0.2, Number.NaN, Number.MAX_VALUE),
            max: Float64Array.of(0.3, Number.NaN, 1e-300),
          })),
        }),
      ),
    status: () => ({
      isWritable: true,
      reason: '',
      lastCommitMs: 0,
      pendingRowCount: 0,
      droppedRowCount: 0,
      sizeBytes: 0,
      damagedChunkCount: 0,
      setAsideFile: '',
      notice: '',
    }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
  const engine = new Engine({
    clock,
    rng: seededRng(seed),
    log: silentLog,
    version: '1.2.3',
    environment: 'development',
    settings: { intervalMs: 20, limits: defaultLimits },
    journal: {
      append: () => Promise.resolve(ok(undefined)),
      newest: () => Promise.resolve(ok([])),
      launched: () => Promise.resolve(ok(undefined)),
      stopped: () => Promise.resolve(ok(undefined)),
      launchBefore: () => Promise.resolve(ok(null)),
      status: () => ({ isWritable: true, reason: '', sinceMs: 0 }),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    steering: emptySteering(),
    sources: [source],
    telemetry,
    config: () => ({ file: null, environment: 'development', entries: [] }),
    configStatus: { file: null, loadedAtMs: 0, problems: [] },
  })
  return { engine, setCpu: (value) => (cpu = value) }
}
