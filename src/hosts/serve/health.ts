import { Gauge, Registry } from 'prom-client'
import {
  hostsWithState,
  instanceStates,
  ofRelease,
  seriesNames,
  type Host,
  type Sli,
} from '../../contract/index.ts'
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
  const judged = gauge('host_can_be_judged', 'Whether the data of a host can be used for judgments.', [
    'host',
  ])
  const sampleAge = gauge('host_sample_age_seconds', 'Age of the newest sample of a host.', ['host'])
  const check = gauge('check_ok', 'Readiness checks of the engine.', ['check'])
  const size = gauge('telemetry_size_bytes', 'Telemetry database on disk.')
  const pending = gauge('telemetry_pending_rows', 'Rows not yet committed.')
  const dropped = gauge('telemetry_dropped_rows', 'Rows lost because they could not be written.')
  const damaged = gauge('telemetry_damaged_chunks', 'Chunks that failed their checksum.')

  const serviceHealth = gauge(
    'service_severity',
    'Worst concern of a service: 0 none, 1 warning, 2 critical.',
    ['service'],
  )
  const rate = gauge(
    'service_requests_per_second',
    'Requests to a service or release, over the last seconds.',
    ['service', 'release'],
  )
  const errors = gauge(
    'service_error_ratio',
    'Share of requests that failed, including those that no instance could take; absent without requests.',
    ['service', 'release'],
  )
  const abandoned = gauge(
    'service_abandoned_ratio',
    'Share of requests whose client left without a response; absent without requests.',
    ['service', 'release'],
  )
  const latency = gauge(
    'service_latency_seconds',
    'Latency of requests answered whole and without an error; absent without any.',
    ['service', 'release', 'quantile'],
  )
  const inFlight = gauge('service_requests_in_flight', 'Requests that have not ended.', [
    'service',
    'release',
  ])
  const weight = gauge('service_release_weight_ratio', 'Share of traffic routed to a release.', [
    'service',
    'release',
  ])
  const instances = gauge('service_instances', 'Instances of a release by state.', [
    'service',
    'release',
    'state',
  ])
  const values = new Map<string, Gauge>()
  const valueOf = (name: string, labelNames: string[]) => {
    const known = values.get(name)
    if (known) return known
    const made = gauge(`host_${name}`, `Newest value of ${name.replaceAll('_', ' ')}.`, [
      'host',
      ...labelNames,
    ])
    values.set(name, made)
    return made
  }

  const fillHostValues = (host: Host) => {
    const newest = engine.hosts.latestValues(host.id)
    host.series.forEach(({ name, labels }, slot) => {
      const value = newest?.[slot] ?? Number.NaN
      if (Number.isNaN(value)) return
      valueOf(metricName(name), Object.keys(labels)).set({ host: host.id, ...labels }, value)
    })
  }

  const fillSli = (service: string, release: string, sli: Sli) => {
    const labels = { service, release }
    rate.set(labels, sli.requestsPerSecond)
    inFlight.set(labels, sli.inFlight)
    if (sli.errorRatio !== null) errors.set(labels, sli.errorRatio)
    if (typeof sli.abandonedRatio === 'number') abandoned.set(labels, sli.abandonedRatio)
    const quantiles = { '0.5': sli.p50Ms, '0.95': sli.p95Ms, '0.99': sli.p99Ms }
    for (const [quantile, ms] of Object.entries(quantiles))
      if (ms !== null) latency.set({ ...labels, quantile }, ms / 1000)
  }

  const fillServices = () => {
    for (const { name: service, concerns, sli, weights, instances: all } of engine.services()) {
      serviceHealth.set({ service }, severityNumber[concerns[0]?.severity ?? 'ok'])
      for (const [release, each] of Object.entries(sli)) fillSli(service, release, each)
      for (const [release, percent] of Object.entries(weights))
        weight.set({ service, release }, percent / 100)
      for (const release of new Set(all.map(({ releaseId }) => releaseId)))
        for (const state of instanceStates) {
          const count = all.filter((each) => each.releaseId === release && each.state === state).length
          instances.set({ service, release, state }, count)
        }
    }
  }

  const fill = () => {
    const { live, parts } = engine
    registry.resetMetrics()
    info.set({ version: parts.version, environment: engine.status.environment }, 1)
    const health = live.get('health')
    if (typeof health?.score === 'number') score.set(health.score)
    for (const { host, state } of hostsWithState(engine.live.snapshot())) {
      if (typeof state.health.score === 'number') hostScore.set({ host: host.id }, state.health.score)
      judged.set({ host: host.id }, state.quality.canBeJudged ? 1 : 0)
      sampleAge.set({ host: host.id }, (parts.clock.nowMs() - state.quality.lastSampleMs) / 1000)
      fillHostValues(host)
    }
    fillServices()
    for (const { name, ok } of engine.status.readiness()) check.set({ check: name }, ok ? 1 : 0)
    const store = parts.telemetry.status()
    size.set(store.sizeBytes)
    pending.set(store.pendingRowCount)
    dropped.set(store.droppedRowCount)
    damaged.set(store.damagedChunkCount)
  }

  return {
    liveness: () => ({ status: 'alive', atMs: engine.parts.clock.nowMs() }),
    readiness: () => {
      const checks = engine.status.readiness()
      const failed = checks.filter(({ ok }) => !ok)
      const ready = failed.length === 0
      const atMs = engine.parts.clock.nowMs()
      return { ready, body: { atMs, status: ready ? 'ready' : 'not ready', failed, checks } }
    },
    metricsJson: () => {
      const health = engine.live.get('health')
      const reasons = health?.reasons ?? []
      return {
        atMs: engine.parts.clock.nowMs(),
        healthScore: health?.score ?? null,
        alerts: {
          critical: reasons.filter(({ severity }) => severity === 'critical').length,
          warning: reasons.filter(({ severity }) => severity === 'warning').length,
        },
        hosts: hostsWithState(engine.live.snapshot()).map(({ host, state }) => ({
          id: host.id,
          name: host.name,
          healthScore: state.health.score,
          freshness: state.quality.freshness,
          lastSampleMs: state.quality.lastSampleMs,
          canBeJudged: state.quality.canBeJudged,
          metrics: engine.hosts.latest(host.id),
        })),
        services: engine.services().map(({ name, concerns, stableReleaseId, sli, instances, weights }) => ({
          name,
          severity: concerns[0]?.severity ?? 'ok',
          concerns: concerns.map(({ kind, severity, text }) => ({ kind, severity, text })),
          stableReleaseId,
          weights,
          healthyInstances: instances.filter(({ state }) => state === 'healthy').length,
          instances: instances.length,
          sli: ofRelease(sli, '') ?? null,
        })),
      }
    },
    metricsText: async () => {
      fill()
      return { contentType: registry.contentType, body: await registry.metrics() }
    },
  }
}

const severityNumber = { ok: 0, warning: 1, critical: 2 } as const

/** Suffixes of units, as Prometheus names metrics. */
const unitSuffix = {
  ratio: '_ratio',
  bytes: '_bytes',
  bytes_per_second: '_bytes_per_second',
  per_second: '_per_second',
  count: '',
  seconds: '_seconds',
  celsius: '_celsius',
} as const

/**
 * `disk.read` is `disk_read_bytes_per_second`; a name that ends in its unit keeps it once. Only counters may end in
 * `_total`, and only histograms in `_count`.
 */
function metricName(series: string): string {
  const name = series.replaceAll(/[^a-z0-9]+/gi, '_').replace(/(?<!^memory|^swap)_total$|_count$/, '')
  const suffix = unitSuffix[seriesNames[series as keyof typeof seriesNames] ?? 'count']
  return name.endsWith(suffix) ? name : name + suffix
}
