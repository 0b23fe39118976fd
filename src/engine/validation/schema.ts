import * as z from 'zod'
import {
  argvSchema,
  builtInChecks,
  environmentSchema,
  hostNameSchema,
  isWebAddress,
  processText,
  requestPathSchema,
  webAddressWords,
} from '../../contract/index.ts'
import { instantOf, isCronPattern, isLocalTime, isTimeZone } from './freeze.ts'

const shared = (critical: boolean) => ({
  /** Shown with the result; unique in its list. Left out: the kind. */
  name: z.string().min(1).max(100).optional(),
  critical: z.boolean().default(critical),
  /** Of one attempt. */
  timeoutMs: z.number().int().min(100).max(300_000).default(30_000),
  /** Attempts after a failure that may pass by itself. */
  retries: z.number().int().min(0).max(10).default(3),
})

const portNumber = z.number().int().min(1).max(65_535)
/** `{service}` and `{release}` in it stand for the names. */
const webAddress = z.string().max(2000).refine(isWebAddress, webAddressWords)
const count = z.number().int().min(0)
const most = (fallback: number | null) => count.nullable().default(fallback)
const filePath = processText(4000).min(1)

/** Where a password stands: never in the configuration itself. */
const password = {
  passwordEnv: z
    .string()
    .regex(/^[A-Za-z_]\w{0,199}$/, 'the name of an environment variable')
    .optional(),
  passwordFile: filePath.optional(),
}

const reportSchema = z.discriminatedUnion('format', [
  z.strictObject({
    format: z.literal('junit'),
    path: filePath,
    maxFailures: count.default(0),
    minTests: count.default(1),
  }),
  z.strictObject({
    format: z.literal('sarif'),
    path: filePath,
    maxErrors: most(0),
    maxWarnings: most(null),
    maxNotes: most(null),
    maxCritical: most(0),
    maxHigh: most(0),
    maxMedium: most(null),
    maxLow: most(null),
  }),
  z.strictObject({
    format: z.literal('json'),
    path: filePath,
    rules: z
      .array(
        z
          .strictObject({
            pointer: z
              .string()
              .max(1000)
              .regex(/^(\/.*)?$/s, 'a JSON pointer such as /total/lines/pct'),
            min: z.number().optional(),
            max: z.number().optional(),
            equals: z.union([z.string().max(1000), z.number(), z.boolean()]).optional(),
          })
          .refine(
            ({ min, max, equals }) => min !== undefined || max !== undefined || equals !== undefined,
            'a rule needs min, max or equals',
          ),
      )
      .min(1)
      .max(100),
  }),
])
export type ReportConfig = z.infer<typeof reportSchema>

const timeZone = z.string().max(100).refine(isTimeZone, 'a time zone such as Europe/Berlin').default('UTC')
const localTime = z.string().refine(isLocalTime, 'a local time such as 2026-12-24T18:00')
const reason = z.string().min(1).max(200)
const freezeWindowSchema = z.union([
  z
    .strictObject({ reason, timeZone, from: localTime, to: localTime })
    .refine(
      (window) => instantOf(window.from, window.timeZone) < instantOf(window.to, window.timeZone),
      'to is not after from',
    ),
  z.strictObject({
    reason,
    timeZone,
    /** When it begins, each time: `0 16 * * 5` is Fridays at 16:00. */
    cron: z.string().max(200).refine(isCronPattern, 'a cron pattern of five fields such as 0 16 * * 5'),
    durationMs: z
      .number()
      .int()
      .min(60_000)
      .max(366 * 86_400_000),
  }),
])

/** One check of a service. */
export const checkConfigSchema = z.discriminatedUnion('kind', [
  /** A gate of the operator's own: it passes with exit code 0 and good reports. Without a shell. */
  z.strictObject({
    kind: z.literal('command'),
    ...shared(true),
    argv: argvSchema,
    cwd: filePath.optional(),
    env: environmentSchema,
    /** Files that the command writes; relative to `cwd`. They must be new. */
    reports: z.array(reportSchema).max(20).default([]),
  }),
  /** Files that something else wrote, such as a build server. */
  z.strictObject({
    kind: z.literal('reports'),
    ...shared(true),
    cwd: filePath.optional(),
    reports: z.array(reportSchema).min(1).max(20),
    maxAgeMs: z.number().int().min(1000).nullable().default(null),
  }),
  /** Secrets in clear in the release's arguments, environment and parameters. */
  z.strictObject({
    kind: z.literal('secrets'),
    ...shared(true),
    /** Keys and flags that are known to be none. */
    allow: z.array(z.string().max(200)).max(200).default([]),
  }),
  /** A short load: on `url`, or without one on a copy of the release that is started for it on this machine. */
  z.strictObject({
    kind: z.literal('load'),
    ...shared(false),
    url: webAddress.optional(),
    /** Of the requests to a copy. */
    path: requestPathSchema.max(2000).default('/'),
    concurrency: z.number().int().min(1).max(64).default(4),
    durationMs: z.number().int().min(100).max(60_000).default(5000),
    maxErrorRatio: z.number().min(0).max(1).default(0.01),
    maxP95Ms: z.number().positive().nullable().default(null),
    maxRegression: z.number().min(0).default(0.2),
    minRequests: z.number().int().min(1).default(50),
  }),
  z.strictObject({
    kind: z.literal('http'),
    ...shared(true),
    url: webAddress,
    expectStatus: z.array(z.number().int().min(100).max(599)).min(1).max(20).default([200, 204]),
    expectText: z.string().min(1).max(1000).optional(),
  }),
  z.strictObject({ kind: z.literal('tcp'), ...shared(true), host: hostNameSchema, port: portNumber }),
  z.strictObject({
    kind: z.literal('dns'),
    ...shared(true),
    host: hostNameSchema,
    type: z.enum(['A', 'AAAA', 'CNAME', 'MX', 'SRV', 'TXT']).default('A'),
    /** Asked instead of the system's, each an address or address:port. */
    servers: z.array(z.string().min(1).max(100)).max(10).default([]),
    /** Values of which at least one must be in the answer. */
    expect: z.array(z.string().max(500)).max(100).default([]),
  }),
  z.strictObject({
    kind: z.literal('tls'),
    ...shared(true),
    host: hostNameSchema,
    port: portNumber.default(443),
    serverName: hostNameSchema.optional(),
    caFile: filePath.optional(),
    failBelowDays: z.number().min(0).default(3),
    warnBelowDays: z.number().min(0).default(21),
  }),
  z.strictObject({
    kind: z.literal('postgresql'),
    ...shared(true),
    host: hostNameSchema,
    port: portNumber.default(5432),
    user: processText(63).min(1).default('postgres'),
    database: processText(63).min(1).default('postgres'),
    ...password,
    isTlsRequired: z.boolean().default(false),
  }),
  z.strictObject({
    kind: z.literal('redis'),
    ...shared(true),
    host: hostNameSchema,
    port: portNumber.default(6379),
    /** Of an ACL; left out: the default user. */
    user: processText(200).min(1).optional(),
    ...password,
    /** Certificates to trust beside those of the system. */
    caFile: filePath.optional(),
    isTls: z.boolean().default(false),
  }),
  z.strictObject({
    kind: z.literal('freeze'),
    ...shared(true),
    windows: z.array(freezeWindowSchema).min(1).max(100),
  }),
  z.strictObject({ kind: z.literal('artifact'), ...shared(true) }),
  z.strictObject({ kind: z.literal('reachable'), ...shared(true) }),
  z.strictObject({ kind: z.literal('headroom'), ...shared(false) }),
  z.strictObject({ kind: z.literal('data-quality'), ...shared(false) }),
  z.strictObject({ kind: z.literal('exclusive'), ...shared(true) }),
])
export type CheckConfig = z.infer<typeof checkConfigSchema>
export type CheckConfigOf<K extends CheckConfig['kind']> = Extract<CheckConfig, { kind: K }>

export const checkNameOf = ({ name, kind }: CheckConfig): string => name ?? kind

/** The `checks` of a service as written. */
export const checksSchema = z
  .array(checkConfigSchema)
  .max(50)
  .superRefine((checks, context) => {
    const names = new Set<string>()
    for (const [index, check] of checks.entries()) {
      const name = checkNameOf(check)
      if (names.has(name))
        context.addIssue({
          code: 'custom',
          path: [index, 'name'],
          message: `a check named ${name} already exists`,
        })
      names.add(name)
      if (check.kind === 'load' && check.durationMs >= check.timeoutMs)
        context.addIssue({
          code: 'custom',
          path: [index, 'durationMs'],
          message: 'duration must be shorter than timeout',
        })
      if ('passwordEnv' in check && check.passwordEnv !== undefined && check.passwordFile !== undefined)
        context.addIssue({
          code: 'custom',
          path: [index, 'passwordFile'],
          message: 'set only one of passwordEnv and passwordFile',
        })
      if (check.kind === 'redis' && sendsPasswordInClear(check))
        context.addIssue({
          code: 'custom',
          path: [index, 'isTls'],
          message: 'the password would be sent in plain text: set isTls',
        })
      if (builtInChecks.some((kind) => kind === name && kind !== check.kind))
        context.addIssue({
          code: 'custom',
          path: [index, 'name'],
          message: `${name} is already the kind of another check`,
        })
    }
  })
  .default([])

/** Redis takes a password as it is. */
export const sendsPasswordInClear = (check: CheckConfigOf<'redis'>): boolean =>
  (check.passwordEnv ?? check.passwordFile) !== undefined &&
  !check.isTls &&
  !/^(localhost|127(\.\d+){3}|::1)$/i.test(check.host)

/** What is run: the checks that every deployment has, then the service's own. */
export function withDefaultChecks(written: readonly CheckConfig[]): CheckConfig[] {
  const kinds = new Set<string>(written.map(({ kind }) => kind))
  const defaults = builtInChecks
    .filter((kind) => !kinds.has(kind))
    .map((kind) => checkConfigSchema.parse({ kind }))
  return [...defaults, ...written]
}
