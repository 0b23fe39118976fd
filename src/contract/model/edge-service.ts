import * as z from 'zod'
import { nameSchema } from './names.ts'
import {
  cookieValueSchema,
  headerValueSchema,
  hostNameSchema,
  processText,
  requestPathSchema,
  tokenSchema,
} from './passed-text.ts'

/** How the health of an instance is checked. */
const healthProbeSchema = z.strictObject({
  path: requestPathSchema.max(500).default('/'),
  intervalMs: z.number().int().min(100).default(1000),
  timeoutMs: z.number().int().min(50).default(2000),
  /** Answers in a row that make an instance healthy, and unhealthy. */
  rise: z.number().int().min(1).default(2),
  fall: z.number().int().min(1).default(3),
  /**
   * How long an instance may be unhealthy before it is restarted; while it starts, five times as long. Null never
   * restarts it.
   */
  restartAfterMs: z.number().int().min(1000).max(86_400_000).nullable().default(60_000),
  /** The Host header of the check; null sends the address of the instance. */
  host: z
    .string()
    .regex(/^[\w.~!$&'()*+,;=%:[\]-]{1,255}$/, 'a host name, with or without a port')
    .nullable()
    .default(null),
})
export type HealthProbe = z.infer<typeof healthProbeSchema>

export const balancings = [
  'round_robin',
  'weighted_round_robin',
  'least_connections',
  'ip_hash',
  'power_of_two',
] as const

/** How requests of a service are spread over releases and instances. */
const routingSchema = z.strictObject({
  balancing: z.enum(balancings).default('power_of_two'),
  /** Requests with this header, or cookie, of this value go to the candidate whatever the weights. */
  candidateHeader: z.strictObject({ name: tokenSchema, value: headerValueSchema }).optional(),
  candidateCookie: z.strictObject({ name: tokenSchema, value: cookieValueSchema }).optional(),
  /** Whether a client stays with the release that it got first, as far as the weights allow. */
  isSticky: z.boolean().default(false),
  /**
   * Weights of the instances of each release, in the order in which they were started; 1 for those beyond the list.
   * `round_robin` ignores them.
   */
  instanceWeights: z.array(z.number().gt(0).max(1000)).max(1000).default([]),
})
export type Routing = z.infer<typeof routingSchema>

const { ipv4, ipv6, cidrv4, cidrv6 } = z.regexes

/** An IP address, or a range of them by its prefix. */
const addressRangeSchema = z
  .string()
  .max(100)
  .regex(
    new RegExp([ipv4, ipv6, cidrv4, cidrv6].map(({ source }) => source).join('|')),
    'an IP address, or a range such as 10.0.0.0/8',
  )

/** How long the proxy waits; null waits without end. */
export const timeoutsSchema = z.strictObject({
  connectMs: z.number().int().min(50).max(600_000).default(2000),
  /** For a free connection to an instance when all are in use: 503 after it. */
  queueMs: z.number().int().min(50).max(600_000).default(10_000),
  /** From the request to the head of the response: 504 after it. */
  responseMs: z.number().int().min(50).max(86_400_000).default(60_000),
  /** Between two pieces of a response that has begun. */
  idleMs: z.number().int().min(50).max(86_400_000).nullable().default(60_000),
  /** A WebSocket on which nothing moves. */
  webSocketIdleMs: z.number().int().min(100).max(604_800_000).nullable().default(3_600_000),
  /** From the first byte of a request to the end of its headers, and to the end of its body. */
  requestHeadersMs: z.number().int().min(100).max(600_000).default(10_000),
  requestMs: z.number().int().min(100).max(86_400_000).nullable().default(300_000),
  /** A client connection on which nothing moves while no response is awaited. */
  clientIdleMs: z.number().int().min(100).max(86_400_000).default(120_000),
})
export type Timeouts = z.infer<typeof timeoutsSchema>

/** How much clients may ask of the proxy, and how much the proxy asks of an instance. */
export const proxyLimitsSchema = z.strictObject({
  /** Above: 413. */
  maxBodyBytes: z
    .number()
    .int()
    .min(0)
    .default(2 ** 30),
  /** Request line and header fields together, bytes; fields, number. Above: 431. */
  maxHeaderBytes: z.number().int().min(1024).max(1_048_576).default(16_384),
  maxHeaderCount: z.number().int().min(10).max(2000).default(100),
  /** Client connections of the service; further ones are closed at once. */
  maxClientConnections: z.number().int().min(1).max(1_000_000).default(10_000),
  /** Requests that one instance works on at a time, and how many more may wait for it. Above both: 503. */
  maxInstanceConnections: z.number().int().min(1).max(100_000).default(1024),
  maxInstanceQueue: z.number().int().min(0).max(100_000).default(1024),
  /** Attempts of a request that may be repeated, the first included. */
  maxAttempts: z.number().int().min(1).max(10).default(3),
})
export type ProxyLimits = z.infer<typeof proxyLimitsSchema>

/** Name or number of a user or group; never one that a command would take for an option. */
const accountNameSchema = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/)

/** A service of the embedded platform as configured: the settings that an edge understands. */
export const edgeServiceSchema = z.strictObject({
  name: nameSchema,
  platform: z.literal('edge').default('edge'),
  /** Which platform's target runs it, and which one's router splits its traffic. */
  target: z.enum(['edge']).default('edge'),
  router: z.enum(['edge']).default('edge'),
  listen: z.strictObject({
    host: hostNameSchema.default('127.0.0.1'),
    /** 0 takes a free port. */
    port: z.number().int().min(0).max(65_535).default(0),
    /**
     * Who is believed about where a request came from (`X-Forwarded-*`, `X-Real-IP`, `Forwarded`): proxies in front.
     * What others say of it is dropped. This machine alone unless told otherwise: a proxy that ends TLS runs on it.
     */
    trustedProxies: z.array(addressRangeSchema).max(100).default(['127.0.0.0/8', '::1']),
  }),
  routing: routingSchema.prefault({}),
  health: healthProbeSchema.prefault({}),
  timeouts: timeoutsSchema.prefault({}),
  limits: proxyLimitsSchema.prefault({}),
  /** Longest wait for requests in flight before an instance is stopped, and from SIGTERM to SIGKILL. */
  drainMs: z.number().int().min(0).max(3_600_000).default(30_000),
  graceMs: z.number().int().min(0).max(600_000).default(10_000),
  /** Of one instance; it is restarted above it. */
  memoryLimitBytes: z.number().int().min(1_000_000).nullable().default(null),
  /** Who its instances, checks and hooks run as; null is the user of the platform, which must be root otherwise. */
  user: accountNameSchema.nullable().default(null),
  /** Null is the user's own. */
  group: accountNameSchema.nullable().default(null),
  /**
   * Where releases without a `cwd` of their own run: the directory of the config file that names the service. Null for
   * a service from elsewhere; its releases run in a directory of the platform's own.
   */
  workingDirectory: processText(4000).nullable().default(null),
})

/** The same as an edge takes it: all of its services are on its own platform. */
export const edgeDefinitionSchema = edgeServiceSchema.omit({ platform: true })
export type EdgeDefinition = z.infer<typeof edgeDefinitionSchema>

const keptPair = z.strictObject({ name: z.string(), value: z.string() }).optional()

/** The same as once configured: an earlier version may have taken texts that are refused now. */
export const keptEdgeDefinitionSchema = edgeDefinitionSchema.extend({
  listen: edgeServiceSchema.shape.listen.extend({ host: z.string().default('127.0.0.1') }),
  routing: routingSchema.extend({ candidateHeader: keptPair, candidateCookie: keptPair }).prefault({}),
  health: healthProbeSchema.extend({ path: z.string().default('/') }).prefault({}),
})
