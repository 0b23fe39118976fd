import * as z from 'zod'
import type { Deployment } from '../model/deployments.ts'
import type { ServiceState } from '../model/services.ts'
import type { Health, Host, HostState } from '../model/telemetry.ts'
import type { TimeZoneName } from '../words/time.ts'

/**
 * Live state: hello, a snapshot, then diffs with sequence numbers. A gap in the numbers means the consumer asks
 * for a new snapshot; another engine epoch means everything before is void. The engine holds back while frames
 * are unacknowledged and squashes what waits, so that a slow consumer gets the newest state, never a queue.
 */
export const liveProtocolVersion = 3
export const heartbeatMs = 1000
/** Frames in flight before the engine squashes instead of sending. */
export const ackWindow = 4

export interface ReadinessCheck {
  name: string
  ok: boolean
  text: string
  sinceMs: number
}

interface EngineStatus {
  version: string
  environment: string
  /** In which zone times are shown, unless the viewer says otherwise; left out by earlier engines. */
  timeZone?: TimeZoneName
  startedAtMs: number
  /** Absolute; which engine a command on its machine is for. Left out by earlier engines. */
  dataDirectory?: string
  checks: ReadinessCheck[]
}

/** A mistake in the configuration, in words for a person. */
export interface ConfigProblem {
  /** The file; for a mistake elsewhere the name of the environment variable or flag, and line and column are 0. */
  file: string
  /** From 1, as is the column. */
  line: number
  column: number
  /** The setting, `server.port`; empty where the mistake is in none. */
  path: string
  /** What was found and what was expected. */
  message: string
  /** What to write instead; may be empty. */
  hint: string
}

export interface ConfigStatus {
  file: string | null
  /** Settings that changed and wait for a restart; left out by earlier engines. */
  pending?: readonly { path: string; running: string; value: string }[]
  loadedAtMs: number
  /** Of the newest file, when it was refused; the running config is then an older one. */
  problems: ConfigProblem[]
}

/** What changed lately: a line a person reads. */
export interface Notice {
  id: string
  atMs: number
  severity: 'info' | 'ok' | 'warning' | 'critical'
  text: string
  /** Route of the screen that shows more, e.g. `/host/local`. */
  link: string
}

export interface LiveRecords {
  engine: EngineStatus
  config: ConfigStatus
  /** Of the whole, and when the newest sample of any host was taken; null before the first. */
  health: Health & { newestSampleMs?: number | null }
  notices: Notice[]
  [host: `host:${string}`]: Host
  [state: `hostState:${string}`]: HostState
  [service: `service:${string}`]: ServiceState
  /** Deployments that run, and those that ended within the last hour. */
  [deployment: `deployment:${string}`]: Deployment
}
export type LiveRecordKey = keyof LiveRecords

/** Kinds of which there are many records, each under `kind:id`. */
interface RecordKinds {
  host: Host
  hostState: HostState
  service: ServiceState
  deployment: Deployment
}

/** All records of a kind, in no particular order. */
export function recordsOf<Kind extends keyof RecordKinds>(
  records: Partial<LiveRecords>,
  kind: Kind,
): RecordKinds[Kind][] {
  const prefix = `${kind}:`
  return Object.entries(records).flatMap(([key, record]) =>
    key.startsWith(prefix) ? [record as RecordKinds[Kind]] : [],
  )
}

/** Hosts with their states; one that has none yet is left out. */
export const hostsWithState = (records: Partial<LiveRecords>): { host: Host; state: HostState }[] =>
  recordsOf(records, 'host').flatMap((host) => {
    const state = records[`hostState:${host.id}`]
    return state ? [{ host, state }] : []
  })

export interface LiveDiff {
  put: Partial<LiveRecords>
  removed: LiveRecordKey[]
}

/** Rows of samples, newest last: `values` is row-major, a row for each of `timesMs`, a column for each of `seriesIds`. */
export interface SampleRows {
  hostId: string
  seriesIds: Float64Array
  timesMs: Float64Array
  values: Float64Array
}

const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Records as they come: an engine may be newer than its consumer, and each record is read by field where it is used. Their
 * envelope is checked.
 */
const recordsSchema = z.custom<Partial<LiveRecords>>(isObject)
const columnSchema = z.custom<Float64Array>((value) => value instanceof Float64Array)
const at = { seq: z.number().int().nonnegative(), engineTimeMs: z.number() }

export const serverFrameSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('hello'),
    protocol: z.number().int(),
    version: z.string(),
    epoch: z.string(),
    engineTimeMs: z.number(),
    heartbeatMs: z.number().positive(),
  }),
  z.object({ kind: z.literal('snapshot'), ...at, records: recordsSchema }),
  z.object({
    kind: z.literal('diff'),
    ...at,
    diff: z.object({
      put: recordsSchema,
      removed: z.array(z.custom<LiveRecordKey>((key) => typeof key === 'string')),
    }),
  }),
  z.object({
    kind: z.literal('samples'),
    ...at,
    rows: z.array(
      z.object({
        hostId: z.string(),
        seriesIds: columnSchema,
        timesMs: columnSchema,
        values: columnSchema,
      }),
    ),
  }),
  z.object({ kind: z.literal('heartbeat'), ...at }),
  z.object({ kind: z.literal('refused'), code: z.string(), message: z.string() }),
])
export type ServerFrame = z.infer<typeof serverFrameSchema>

export const clientFrameSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('hello'), protocol: z.number().int() }),
  z.strictObject({ kind: z.literal('ack'), seq: z.number().int().nonnegative() }),
  z.strictObject({ kind: z.literal('resync') }),
  /** Which records to send from now on; replaces the earlier choice. Without one all are sent. */
  z.strictObject({ kind: z.literal('subscribe'), records: z.array(z.string().max(300)).max(1000) }),
  /** Which series of which hosts to stream; replaces the earlier choice. Hidden consumers stream none. */
  z.strictObject({
    kind: z.literal('stream'),
    hosts: z
      .array(z.strictObject({ hostId: z.string().max(200), seriesIds: z.array(z.number().int()).max(2000) }))
      .max(100),
  }),
])
export type ClientFrame = z.infer<typeof clientFrameSchema>
