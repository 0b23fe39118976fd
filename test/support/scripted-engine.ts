import { ok, seededRng, silentLog, type Clock } from '../../src/base/index.ts'
import type { Chart } from '../../src/contract/index.ts'
import type { AuditDraft } from '../../src/engine/audit/index.ts'
import { Engine, type Steering } from '../../src/engine/index.ts'
import {
  defaultLimits,
  type MetricSource,
  type Reading,
  type TelemetryStore,
} from '../../src/engine/telemetry/index.ts'
import { emptySteering } from './empty-steering.ts'
import { systemClock } from '../../src/adapters/system/index.ts'

/**
 * What a transport needs behind it: an engine whose host says what the test tells it to, or what `host` measures. `audit`
 * is what it has put on record.
 */
export function scriptedEngine(
  seed = 1,
  {
    clock = systemClock(),
    host,
    intervalMs = 20,
    steering = emptySteering(),
    telemetry = undefined,
  }: {
    clock?: Clock
    host?: MetricSource
    intervalMs?: number
    steering?: Steering
    telemetry?: TelemetryStore | undefined
  } = {},
): { engine: Engine; setCpu(value: number): void; audit: AuditDraft[] } {
  const audit: AuditDraft[] = []
  let cpu = 0.5
  const source: MetricSource = host ?? {
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
    inspector: {
      topProcesses: () => Promise.resolve(ok([])),
      process: () => Promise.reject(new Error('a defect with a secret in its text')),
      connectionCounts: () => Promise.resolve(ok({ established: 3 })),
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
  const scripted: TelemetryStore = {
    registerSeries: (_hostId, keys) => Promise.resolve(keys.map((key, id) => ({ ...key, id }))),
    append: () => undefined,
    flush: () => Promise.resolve(ok(undefined)),
    chart: ({ hostId, fromMs, toMs, seriesIds, maxPoints }) =>
      Promise.resolve(
        ok<Chart>({
          hostId,
          fromMs,
          toMs,
          stepMs: 0,
          series: seriesIds.map((seriesId) =>
            host
              ? wave(seriesId, fromMs, toMs, maxPoints)
              : {
                  seriesId,
                  timesMs: Float64Array.of(1, 2, 3),
                  min: Float64Array.of(0.1, Number.NaN, -0),
                  mean: Float64Array.of(0.2, Number.NaN, Number.MAX_VALUE),
                  max: Float64Array.of(0.3, Number.NaN, 1e-300),
                },
          ),
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
    dataDirectory: '/var/lib/pilothouse/scripted',
    settings: { intervalMs, limits: defaultLimits, minHealthScore: 50, timeZone: 'local' },
    journal: {
      append: () => Promise.resolve(ok(undefined)),
      replace: () => Promise.resolve(ok(undefined)),
      newest: () => Promise.resolve(ok([])),
      launched: () => Promise.resolve(ok(undefined)),
      stopped: () => Promise.resolve(ok(undefined)),
      launchBefore: () => Promise.resolve(ok(null)),
      status: () => ({ isWritable: true, reason: '', sinceMs: 0 }),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    steering: {
      ...steering,
      stores: {
        ...steering.stores,
        work: {
          commit: (changes) => {
            for (const change of changes) if (change.kind === 'addAudit') audit.push(change.entry)
            return Promise.resolve(ok(undefined))
          },
        },
      },
    },
    sources: [source],
    telemetry: telemetry ?? scripted,
    config: () => ({ file: null, environment: 'development', timeZone: 'local', entries: [] }),
    configStatus: { file: null, loadedAtMs: 0, problems: [] },
  })
  return { engine, setCpu: (value) => (cpu = value), audit }
}

/** A full history, as an engine has that has run for long. */
function wave(seriesId: number, fromMs: number, toMs: number, maxPoints: number): Chart['series'][number] {
  const count = Math.min(maxPoints, Math.floor((toMs - fromMs) / 1000))
  const timesMs = Float64Array.from({ length: count }, (_, n) => fromMs + ((toMs - fromMs) * n) / count)
  const mean = timesMs.map(
    (timeMs) => 0.4 + 0.3 * Math.sin(timeMs / 20_000 + seriesId) + 0.1 * Math.sin(timeMs),
  )
  return {
    seriesId,
    timesMs,
    min: mean.map((value) => value * 0.9),
    mean,
    max: mean.map((value) => value * 1.1),
  }
}
