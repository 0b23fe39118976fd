import {
  duration,
  limitName,
  phraseText,
  roughDuration,
  share,
  type Forecast,
  type Freshness,
  type Health,
  type HealthReason,
  type LimitState,
  type Severity,
} from '../../contract/index.ts'
import type { LimitKind } from './limits.ts'

/** An open alert on a host, as far as health needs it. */
export interface OpenAlert {
  severity: 'warning' | 'critical'
  /** A sentence. */
  text: string
  sinceMs: number
  series: string
}

export interface HostHealthInput {
  hostId: string
  freshness: Freshness
  /** Of the newest reading, ms; Infinity when there was none. */
  ageMs: number
  nowMs: number
  limits: readonly LimitState[]
  forecasts: readonly Forecast[]
  alerts: readonly OpenAlert[]
}

/** How much a limit at its worst may matter. Saturation that kills (disk, memory) weighs most. */
const weights: Record<LimitKind, number> = {
  disk: 1,
  inodes: 1,
  memory: 1,
  cpu: 0.8,
  memoryPressure: 0.8,
  ioPressure: 0.6,
  cpuPressure: 0.5,
  networkErrors: 0.6,
  networkDrops: 0.5,
  temperature: 0.6,
  steal: 0.5,
  iowait: 0.4,
  swap: 0.4,
}

/** Penalties in points of 100, before the weight: from the threshold to the next one, or to the worst possible. */
const warningBand = [10, 30] as const
const criticalBand = [40, 60] as const
const alertPenalties = { warning: 20, critical: 50 } as const
const latePenalty = 5
/** A disk that will be full within this time is a problem now; sooner is worse, up to the top of the warning band. */
const forecastHorizonMs = 24 * 3_600_000

interface Problem {
  severity: Severity
  /** 0 to 100. */
  penalty: number
  text: string
  sinceMs: number
  isOlder?: boolean | undefined
  series: string
}

/**
 * Health of a host, 0-100.
 *
 * Each problem has a penalty p: a limit in warning 10 at the threshold to 30 just below the critical one, in critical
 * 40 at the threshold to 60 at the worst possible value, times the weight of its kind (disk, inodes, memory 1; cpu,
 * memory pressure 0.8; i/o pressure, network errors, temperature 0.6; cpu pressure, steal, drops 0.5; iowait, swap
 * 0.4); a disk forecast to be full within a day 10 to 30, sooner is worse (of a forecast and a limit on the same disk
 * the larger counts); an alert 20 in warning, 50 in critical; a late reading 5.
 *
 *     score = 100 × Π (1 − p/100), rounded
 *
 * so that each further problem takes its share of what is left, and the score never falls below 0. Reasons stand
 * worst first, each with the points it took; together they are 100 − score. A host that is stale is not judged: its
 * score is null and its one reason says for how long. The order of the inputs does not matter, and a worse input never
 * raises the score.
 */
export function hostHealth(input: HostHealthInput): Health {
  const { hostId, freshness, ageMs, nowMs } = input
  if (freshness === 'stale') {
    const isKnown = Number.isFinite(ageMs)
    const text = isKnown ? `unknown: no reading for ${roughDuration(ageMs)}` : 'unknown: no reading yet'
    const sinceMs = isKnown ? nowMs - ageMs : nowMs
    return {
      score: null,
      severity: 'stale',
      reasons: [{ severity: 'stale', hostId, service: '', text, points: 0, sinceMs, series: '' }],
    }
  }
  const problems = [...limitProblems(input), ...alertProblems(input)]
  if (freshness === 'late') {
    problems.push({
      severity: 'stale',
      penalty: latePenalty,
      text: `the newest reading is ${roughDuration(ageMs)} old`,
      sinceMs: nowMs - ageMs,
      series: '',
    })
  }
  problems.sort((a, b) => b.penalty - a.penalty || a.sinceMs - b.sinceMs || compare(a.text, b.text))
  let left = 100
  const reasons = problems.map(({ severity, penalty, text, sinceMs, isOlder, series }): HealthReason => {
    const before = Math.round(left)
    left *= 1 - penalty / 100
    const points = before - Math.round(left)
    return { severity, hostId, service: '', text, points, sinceMs, ...(isOlder ? { isOlder } : {}), series }
  })
  return { score: Math.round(left), severity: severityOf(problems), reasons }
}

function limitProblems({ limits, forecasts, nowMs }: HostHealthInput): Problem[] {
  const problems: Problem[] = []
  const forecastOf = new Map(forecasts.map((forecast) => [forecast.series, forecast]))
  for (const state of limits) {
    const forecast = state.kind === 'disk' ? forecastOf.get(state.series) : undefined
    const isBroken = (state.severity === 'warning' || state.severity === 'critical') && state.value !== null
    if (!isBroken) continue
    problems.push({
      severity: state.severity,
      penalty: Math.max(limitPenalty(state), forecast ? forecastPenalty(forecast, nowMs) : 0),
      text: limitText(state, forecast, nowMs),
      sinceMs: state.sinceMs,
      isOlder: state.isOlder,
      series: state.series,
    })
    if (forecast) forecastOf.delete(state.series)
  }
  for (const forecast of forecastOf.values()) {
    const penalty = forecastPenalty(forecast, nowMs)
    if (penalty === 0) continue
    const { text, series, sinceMs } = forecast
    problems.push({ severity: 'warning', penalty, text, sinceMs, series })
  }
  return problems
}

const alertProblems = ({ alerts }: HostHealthInput): Problem[] =>
  alerts.map(({ severity, text, sinceMs, series }) => ({
    severity,
    penalty: alertPenalties[severity],
    text: phraseText(text),
    sinceMs,
    series,
  }))

function limitPenalty({ kind, severity, value, warning, critical, unit }: LimitState): number {
  const weight = weights[kind as LimitKind]
  const mean = value ?? warning
  if (severity === 'warning') return weight * within(warningBand, mean, warning, critical)
  return weight * within(criticalBand, mean, critical, unit === 'ratio' ? 1 : critical * 1.1)
}

function forecastPenalty({ fullAtMs }: Forecast, nowMs: number): number {
  const leftMs = fullAtMs - nowMs
  return leftMs < forecastHorizonMs ? within(warningBand, -leftMs, -forecastHorizonMs, 0) : 0
}

/** Where `value` lies between `from` and `to`, on the band. */
function within([low, high]: readonly [number, number], value: number, from: number, to: number): number {
  if (value >= to) return high
  return low + (high - low) * Math.max(0, (value - from) / (to - from))
}

/** Limits whose figure jumps: the time that it is a mean of belongs to it. */
const means: readonly string[] = [
  'cpu',
  'cpuPressure',
  'memoryPressure',
  'ioPressure',
  'iowait',
  'steal',
  'networkErrors',
  'networkDrops',
] satisfies LimitKind[]

function limitText(state: LimitState, forecast: Forecast | undefined, nowMs: number): string {
  const measured = state.value ?? NaN
  const value = state.unit === 'ratio' ? share(measured) : `${Math.round(measured)} °C`
  const mean = means.includes(state.kind) ? ` (${duration(state.holdMs)} mean)` : ''
  const text = `${limitName(state)} at ${value}${mean}`
  return forecast ? `${text}, full in about ${roughDuration(forecast.fullAtMs - nowMs)}` : text
}

function severityOf(problems: readonly Problem[]): Severity {
  if (problems.some(({ severity }) => severity === 'critical')) return 'critical'
  // A late reading takes points but is no warning yet: a busy second must not flap the tray.
  return problems.some(({ severity }) => severity === 'warning') ? 'warning' : 'ok'
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
