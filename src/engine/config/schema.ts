import * as z from 'zod'
import { timeZoneNames, type PlanOptions, type TimeZoneName } from '../../contract/index.ts'
import { planOptionsOf, serviceConfigsOf, serviceSections, type ServiceConfig } from './services.ts'
import type { ConfigNode } from './tree.ts'
import {
  afterRestart,
  choice,
  constant,
  duration,
  loopbackAddress,
  origins,
  path,
  port,
  score,
  secret,
  share,
  size,
  type SecretReference,
} from './values.ts'

export const environments = ['development', 'staging', 'production'] as const
type Environment = (typeof environments)[number]

export const logLevels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof logLevels)[number]

const limit = (warning: number, critical: number, of: string) =>
  z
    .strictObject({
      warning: share().prefault(warning).describe(`Use of ${of} at which the host shows a warning.`),
      critical: share().prefault(critical).describe(`Use of ${of} at which the host is critical.`),
    })
    .prefault({})
    .describe(`Limits on the use of ${of}.`)

/** What an environment may set differently: everything but its own name. */
const sections = {
  server: z
    .strictObject({
      host: afterRestart(loopbackAddress()).prefault('127.0.0.1').describe('Address to listen on.'),
      port: afterRestart(port()).prefault(7780).describe('Port to listen on; 0 takes a free one.'),
      allowedOrigins: afterRestart(origins())
        .prefault([])
        .describe('Additional web origins that may connect.'),
      token: afterRestart(secret())
        .optional()
        .describe(
          'Where the access token is kept. Without it, each launch creates a new token and writes it to server.json in the data directory.',
        ),
    })
    .prefault({})
    .describe('How the headless server is reached.'),
  health: z
    .strictObject({
      minReadyScore: score()
        .prefault(50)
        .describe('Health score below which /health/readiness answers 503; 0 never does.'),
    })
    .prefault({})
    .describe('When the engine counts as ready.'),
  dataDirectory: afterRestart(path('a directory that may be written'))
    .optional()
    .describe("Where databases and logs are kept. Without it, the user's data directory of the system."),
  logging: z
    .strictObject({
      level: choice(logLevels).prefault('info').describe('Lowest level that is written.'),
      destination: afterRestart(choice(['stderr', 'file']))
        .prefault('stderr')
        .describe('`file` is logs/pilothouse.log in the data directory, rotated.'),
    })
    .prefault({})
    .describe('The log of Pilothouse itself.'),
  display: z
    .strictObject({
      timeZone: choice(timeZoneNames)
        .prefault('local')
        .describe(
          'Zone of the times on screens and on the command line: that of the machine that shows them, or UTC. A viewer can choose another one.',
        ),
    })
    .prefault({})
    .describe('How screens and the command line show things.'),
  telemetry: z
    .strictObject({
      interval: duration({ least: '1s', most: '1m' })
        .prefault('1s')
        .describe('Time between two samples of this host.'),
      retention: z
        .strictObject({
          raw: duration({ least: '1h', most: '10y' }).prefault('7d').describe('Samples as taken.'),
          minute: duration({ least: '1h', most: '10y' }).prefault('90d').describe('Roll-ups of a minute.'),
          hour: duration({ least: '1h', most: '100y' }).prefault('3y').describe('Roll-ups of an hour.'),
          size: size({ least: '1MB', most: '1TB' })
            .prefault('100MB')
            .describe('Maximum disk space per host; the oldest samples are deleted first.'),
        })
        .prefault({})
        .describe('How long telemetry is kept.'),
      limits: z
        .strictObject({
          cpu: limit(0.8, 0.95, 'the CPU'),
          memory: limit(0.8, 0.95, 'memory'),
          disk: limit(0.8, 0.95, 'a filesystem'),
        })
        .prefault({})
        .describe('Thresholds for warning and critical.'),
    })
    .prefault({})
    .describe('Sampling of hosts, and retention.'),
  ...serviceSections,
}

const overrides = z.strictObject(sections).optional()

/** A config as written: every key optional, nothing unknown. Parsed values are in base units (ms, bytes, ratios). */
export const configFileSchema = z.strictObject({
  version: constant(1).prefault(1).describe('Version of the configuration format.'),
  environment: choice(environments)
    .prefault('development')
    .describe(
      'The environment of its services; production asks for the service name before dangerous actions.',
    ),
  ...sections,
  environments: z
    .strictObject({
      development: overrides.describe('What differs in development.'),
      staging: overrides.describe('What differs in staging.'),
      production: overrides.describe('What differs in production.'),
    })
    .prefault({})
    .describe('Settings that replace the ones above in one environment.'),
})

/** Shares of the whole, 0 to 1. */
export interface LimitSetting {
  warning: number
  critical: number
}

/** The config the engine runs on: complete, checked, in base units. */
export interface Config {
  environment: Environment
  server: {
    host: string
    port: number
    allowedOrigins: readonly string[]
    token: SecretReference | null
  }
  health: { minReadyScore: number }
  /** Absolute. */
  dataDirectory: string
  logging: { level: LogLevel; destination: 'stderr' | 'file' }
  display: { timeZone: TimeZoneName }
  telemetry: {
    intervalMs: number
    retention: { rawMs: number; minuteMs: number; hourMs: number; sizeBytesPerHost: number }
    limits: { cpu: LimitSetting; memory: LimitSetting; disk: LimitSetting }
  }
  /** What holds for every deployment unless its service or it says otherwise. */
  deploy: PlanOptions
  /** In the order of the file. */
  services: readonly ServiceConfig[]
}

/**
 * The running form of a parsed file. `dataDirectory` applies when the file names none; releases run in `fileDirectory`
 * unless they say otherwise. `written` tells the order of the file.
 */
export function configOf(
  parsed: z.output<typeof configFileSchema>,
  {
    dataDirectory,
    fileDirectory,
    written,
  }: { dataDirectory: string; fileDirectory: string | null; written: ConfigNode },
): Config {
  const { server, telemetry } = parsed
  return {
    environment: parsed.environment,
    server: { ...server, token: server.token ?? null },
    health: parsed.health,
    dataDirectory: parsed.dataDirectory ?? dataDirectory,
    logging: parsed.logging,
    display: parsed.display,
    telemetry: {
      intervalMs: telemetry.interval,
      retention: {
        rawMs: telemetry.retention.raw,
        minuteMs: telemetry.retention.minute,
        hourMs: telemetry.retention.hour,
        sizeBytesPerHost: telemetry.retention.size,
      },
      limits: telemetry.limits,
    },
    deploy: planOptionsOf(parsed.deploy),
    services: serviceConfigsOf(parsed.services, fileDirectory, written),
  }
}
