import * as z from 'zod'
import { seriesSchema } from './series.ts'

/** A column of numbers. A typed array on MessagePort and WebSocket, a JSON array with null for NaN over HTTP. */
const columnSchema = z.instanceof(Float64Array)

const freshnessSchema = z.enum(['fresh', 'late', 'stale'])
export type Freshness = z.infer<typeof freshnessSchema>

/**
 * What happened to the data of a host or a series in the last hour. A host's counts are its readings' own
 * (a gap, a duplicate, ...) plus what happened to each of its series; a series' counts are its own plus its host's
 * readings', because a duplicate reading is a duplicate for each series in it.
 */
const qualityCountsSchema = z.object({
  /** Readings (of a host) or values (of a series) that came as they should. */
  fresh: z.number(),
  /** How often it became late, and stale. */
  late: z.number(),
  stale: z.number(),
  gaps: z.number(),
  notNumbers: z.number(),
  counterResets: z.number(),
  duplicates: z.number(),
  outOfOrder: z.number(),
  clockSkews: z.number(),
  unitJumps: z.number(),
})
export type QualityCounts = z.infer<typeof qualityCountsSchema>

const hostQualitySchema = z.object({
  freshness: freshnessSchema,
  lastSampleMs: z.number(),
  counts: qualityCountsSchema,
  /** Later decisions ask this: false with the reason when data of this host must not be judged on. */
  canBeJudged: z.boolean(),
  reasons: z.array(z.string()),
})
export type HostQuality = z.infer<typeof hostQualitySchema>

/** One row of the data-quality table of a host. */
export const seriesQualitySchema = z.object({
  /** Position in the host's list of series. */
  slot: z.number().int().nonnegative(),
  freshness: freshnessSchema,
  /** Of the newest number; null when there never was one. */
  lastValueMs: z.number().nullable(),
  counts: qualityCountsSchema,
  canBeJudged: z.boolean(),
  reasons: z.array(z.string()),
})
export type SeriesQuality = z.infer<typeof seriesQualitySchema>

const severitySchema = z.enum(['ok', 'warning', 'critical', 'stale'])
export type Severity = z.infer<typeof severitySchema>

const healthReasonSchema = z.object({
  severity: severitySchema,
  /** Which host, or empty for the environment. */
  /** Empty for a reason that is not a host's. */
  hostId: z.string(),
  /** Name of the service whose reason it is; empty for a host's. */
  service: z.string().default(''),
  /** A sentence with figures: "disk / at 86%". */
  text: z.string(),
  /** Points taken from 100. */
  points: z.number(),
  sinceMs: z.number(),
  /** It was so already when the engine began to look, at `sinceMs`. */
  isOlder: z.boolean().optional(),
  series: z.string(),
})
export type HealthReason = z.infer<typeof healthReasonSchema>

const healthSchema = z.object({
  /** 0-100; 100 is well. Null while nothing is known. */
  score: z.number().nullable(),
  severity: severitySchema,
  /** Worst first. */
  reasons: z.array(healthReasonSchema),
})
export type Health = z.infer<typeof healthSchema>

/** One limit of a host as it stands. Values and limits are in `unit`. */
const limitStateSchema = z.object({
  /** Which limit of the configuration, e.g. `disk`. */
  kind: z.string(),
  /** What it stands on, for a person: a mount, an interface, a sensor; empty where a host has only one. */
  subject: z.string(),
  series: z.string(),
  unit: z.enum(['ratio', 'celsius']),
  /** `stale` when nothing was measured within the hold time. */
  severity: severitySchema,
  /** Mean over the hold time; null when nothing was measured. */
  value: z.number().nullable(),
  warning: z.number(),
  critical: z.number(),
  holdMs: z.number(),
  /** When it came into this severity. */
  sinceMs: z.number(),
  /** Nothing from before `sinceMs` is known: the engine began to look then. */
  isOlder: z.boolean().optional(),
})
export type LimitState = z.infer<typeof limitStateSchema>

/** Where a metric is heading. Slopes in units of the series a second, with their 90 % confidence bounds. */
export const trendSchema = z.object({
  direction: z.enum(['rising', 'falling', 'steady']),
  slopePerSecond: z.number(),
  lowPerSecond: z.number(),
  highPerSecond: z.number(),
  /** Slope of the newer half of the window. */
  recentSlopePerSecond: z.number(),
  /** From the first to the last value it was made from. */
  spanMs: z.number(),
})
export type Trend = z.infer<typeof trendSchema>

/** When a filesystem will be full, given only where the past supports it. */
const forecastSchema = z.object({
  subject: z.string(),
  series: z.string(),
  fullAtMs: z.number(),
  earliestMs: z.number(),
  latestMs: z.number(),
  /** Since when it is forecast. */
  sinceMs: z.number(),
  /** A sentence: "disk / full in about 4 days". */
  text: z.string(),
})
export type Forecast = z.infer<typeof forecastSchema>

const hostFactsSchema = z.object({
  hostname: z.string(),
  platform: z.string(),
  osName: z.string(),
  kernel: z.string(),
  arch: z.string(),
  cpuModel: z.string(),
  coreCount: z.number(),
  memoryBytes: z.number(),
  bootedAtMs: z.number(),
})
export type HostFacts = z.infer<typeof hostFactsSchema>

export const hostSchema = z.object({
  id: z.string(),
  name: z.string(),
  environment: z.string(),
  facts: hostFactsSchema,
  series: z.array(seriesSchema),
  /** Grows whenever `series` changes. */
  catalogVersion: z.number(),
})
export type Host = z.infer<typeof hostSchema>

/** How much of what a host has is in use, as a mean over the hold time of the limit on it. */
export const useSchema = z.object({
  kind: z.enum(['cpu', 'memory', 'disk']),
  /** A mount; empty where a host has only one. */
  subject: z.string(),
  /** In thousandths; null when too little was measured to say. */
  ratio: z.number().nullable(),
})
export type Use = z.infer<typeof useSchema>

/** What changes each second, apart from what hardly ever does. */
export const hostStateSchema = z.object({
  quality: hostQualitySchema,
  health: healthSchema,
  /** Only those that are not ok, worst first. */
  limits: z.array(limitStateSchema),
  use: z.array(useSchema),
  forecasts: z.array(forecastSchema),
  /** Limits in force, by kind (`cpu`, `memory`, `disk`), as ratios; left out by earlier engines. */
  thresholds: z.record(z.string(), z.object({ warning: z.number(), critical: z.number() })).optional(),
})
export type HostState = z.infer<typeof hostStateSchema>

export const chartSchema = z.object({
  hostId: z.string(),
  fromMs: z.number(),
  toMs: z.number(),
  /** Width of a point's bin; 0 when points are samples as taken. */
  stepMs: z.number(),
  series: z.array(
    z.object({
      seriesId: z.number(),
      timesMs: columnSchema,
      min: columnSchema,
      mean: columnSchema,
      max: columnSchema,
    }),
  ),
})
export type Chart = z.infer<typeof chartSchema>

export const processSchema = z.object({
  pid: z.number(),
  parentPid: z.number(),
  name: z.string(),
  command: z.string(),
  user: z.string(),
  state: z.string(),
  /** CPU seconds a second: 1 is one whole core, so it can exceed 1. */
  cpuRatio: z.number(),
  /** Resident memory. */
  memoryBytes: z.number(),
  /** 0 where the system does not tell. */
  threadCount: z.number(),
  /** 0 where the system does not tell. */
  startedAtMs: z.number(),
})
export type ProcessInfo = z.infer<typeof processSchema>

export const connectionCountsSchema = z.record(z.string(), z.number())
