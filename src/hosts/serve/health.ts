import { Gauge, Registry } from 'prom-client'
import type { Host, HostState } from '../../contract/index.ts'
import type { HealthAnswers } from '../../adapters/transports/index.ts'
import type { Engine } from '../../engine/index.ts'

/** The health endpoints' answers, from the state the engine already holds: no database, no reading of the machine. */
export function healthAnswers(engine: Engine): HealthAnswers {
  const registry = new Registry()
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `pilothouse_${name}`, help, labelNames, registers: [registry] })
  const info = gauge('info', 'Version and environment of the engine, always 1.', ['version', 'environment'])
  const score = gauge('health_score', 'Health of the environment, 0 to 100; absent while unknown.')
  const hostScore = gauge('host_health_score', 'Health of a host, 0 to 100; absent while unknown.', ['host'])
  const judged = gauge('host_can_be_judged', 'Whether the data of a host can be judged on.', ['host'])
  const sampleAge = gauge('host_sample_age_seconds', 'Age of the newest sample of a host.', ['host'])
  const check = gauge('check_ok', 'Readiness checks of the engine.', ['check'])
  const size = gauge('telemetry_size_bytes', 'Telemetry database on disk.')
  const pending = gauge('telemetry_pending_rows', 'Rows not yet committed.')
  const dropped = gauge('telemetry_dropped_rows', 'Rows lost because the disk did not take them.')
  const damaged = gauge('telemetry_damaged_chunks', 'Chunks that failed their checksum.')

  const fill = () => {
    const { live, parts } = engine
    registry.resetMetrics()
    info.set({ version: parts.version, environment: parts.environment }, 1)
    const health = live.get('health')
    if (typeof health?.score === 'number') score.set(health.score)
    for (const { host, state } of hostsOf(engine)) {
      if (typeof state.health.score === 'number') hostScore.set({ host: host.id }, state.health.score)
      judged.set({ host: host.id }, state.quality.canBeJudged ? 1 : 0)
      sampleAge.set({ host: host.id }, (parts.clock.nowMs() - state.quality.lastSampleMs) / 1000)
    }
    for (const { name, ok } of engine.checks()) check.set({ check: name }, ok ? 1 : 0)
    const store = parts.telemetry.status()
    size.set(store.sizeBytes)
    pending.set(store.pendingRowCount)
    dropped.set(store.droppedRowCount)
    damaged.set(store.damagedChunkCount)
  }

  return {
    readiness: () => {
      const checks = engine.checks()
      const failed = checks.filter(({ ok }) => !ok)
      const ready = failed.length === 0
      return { ready, body: { status: ready ? 'ready' : 'not ready', failed, checks } }
    },
    metricsJson: () => {
      const health = engine.live.get('health')
      const reasons = health?.reasons ?? []
      return {
        healthScore: health?.score ?? null,
        alerts: {
          critical: reasons.filter(({ severity }) => severity === 'critical').length,
          warning: reasons.filter(({ severity }) => severity === 'warning').length,
        },
        hosts: hostsOf(engine).map(({ host, state }) => ({
          id: host.id,
          name: host.name,
          healthScore: state.health.score,
          freshness: state.quality.freshness,
          lastSampleMs: state.quality.lastSampleMs,
          canBeJudged: state.quality.canBeJudged,
          metrics: engine.latest(host.id),
        })),
      }
    },
    metricsText: async () => {
      fill()
      return { contentType: registry.contentType, body: await registry.metrics() }
    },
  }
}

function hostsOf({ live }: Engine): { host: Host; state: HostState }[] {
  const records = live.snapshot()
  return Object.entries(records).flatMap(([key, host]) => {
    if (!key.startsWith('host:')) return []
    const state = records[`hostState:${key.slice('host:'.length)}`]
    return state ? [{ host: host as Host, state }] : []
  })
}
