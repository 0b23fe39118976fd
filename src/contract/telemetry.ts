import * as z from 'zod'
import { seriesSchema } from './series.ts'

/** A column of numbers. A typed array on MessagePort and WebSocket, a JSON array with null for NaN over HTTP. */
export const columnSchema = z.instanceof(Float64Array)

export const freshnessSchema = z.enum(['fresh', 'late', 'stale'])
export type Freshness = z.infer<typeof freshnessSchema>

/** Counted troubles of a host's or series' data. */
export const qualityCountsSchema = z.object({
  gaps: z.number(),
  notNumbers: z.number(),
  counterResets: z.number(),
  duplicates: z.number(),
  outOfOrder: z.number(),
  clockSkews: z.number(),
  unitJumps: z.number(),
})
export type QualityCounts = z.infer<typeof qualityCountsSchema>

export const hostQualitySchema = z.object({
  freshness: freshnessSchema,
  lastSampleMs: z.number(),
  counts: qualityCountsSchema,
  /** Later decisions ask this: false with the reason when data of this host must not be judged on. */
  canBeJudged: z.boolean(),
  reasons: z.array(z.string()),
})
export type HostQuality = z.infer<typeof hostQualitySchema>

export const severitySchema = z.enum(['ok', 'warning', 'critical', 'stale'])
export type Severity = z.infer<typeof severitySchema>

export const healthReasonSchema = z.object({
  severity: severitySchema,
  /** Which host, or empty for the environment. */
  hostId: z.string(),
  /** A sentence with figures: "disk / 86 % full". */
  text: z.string(),
  /** Points taken from 100. */
  points: z.number(),
  sinceMs: z.number(),
  series: z.string(),
})
export type HealthReason = z.infer<typeof healthReasonSchema>

export const healthSchema = z.object({
  /** 0-100; 100 is well. Null while nothing is known. */
  score: z.number().nullable(),
  severity: severitySchema,
  /** Worst first. */
  reasons: z.array(healthReasonSchema),
})
export type Health = z.infer<typeof healthSchema>

export const hostFactsSchema = z.object({
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

/** What changes each second, apart from what hardly ever does. */
export const hostStateSchema = z.object({ quality: hostQualitySchema, health: healthSchema })
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
  threadCount: z.number(),
  startedAtMs: z.number(),
})
export type ProcessInfo = z.infer<typeof processSchema>

export const connectionCountsSchema = z.record(z.string(), z.number())
