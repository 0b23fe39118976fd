import { stringify } from 'yaml'

export const demoServices = ['catalog', 'cart', 'checkout'] as const
export type DemoService = (typeof demoServices)[number]

/** The release that runs when the demo opens. */
export const firstRelease = 'v1'

export interface DemoConfigOptions {
  /** What runs a process of the shop; the name of its service is added. */
  program: readonly string[]
  /** Where each service is to listen. */
  ports: Readonly<Record<DemoService, number>>
}

/** What each release of the demo is, and the options of the shop that make it so. */
const releases = {
  [firstRelease]: { note: 'The release that runs first', traits: [] },
  good: { note: 'As good as the first one', traits: [] },
  errors: { note: '2% of its requests fail', traits: ['--fail-share', '0.02'] },
  'slow-tail': {
    note: 'A tenth of its requests take 400 ms longer',
    traits: ['--slow-share', '0.1', '--slow-ms', '400'],
  },
  'memory-leak': { note: 'Each request leaks 10 MB', traits: ['--leak-bytes', '10000000'] },
  'never-healthy': { note: 'Its health check never succeeds', traits: ['--never-healthy'] },
  'slow-start': { note: 'Takes 15 s to start, then works', traits: ['--ready-after-ms', '15000'] },
} as const

export const addressOf = (port: number): string => `http://127.0.0.1:${port}`

/** The first line of every config that the demo wrote: by it the demo knows its own directory again. */
export const demoHeader = '# Written by pilothouse demo, which starts from scratch each time.'

/**
 * A `pilothouse.yaml` of the shop: its three services, their releases, and steps short enough that a newcomer sees one
 * judged within two minutes.
 */
export function demoConfig({ program, ports }: DemoConfigOptions): string {
  const env = { CART_URL: addressOf(ports.cart), CATALOG_URL: addressOf(ports.catalog) }
  const services = demoServices.map((service) => [
    service,
    {
      listen: { port: ports[service] },
      health: { path: '/health', interval: '500ms' },
      drain: '5s',
      grace: '5s',
      memoryLimit: '200MB',
      releases: Object.fromEntries(
        Object.entries(releases).map(([id, { note, traits }]) => [
          id,
          { command: [...program, service, ...traits], env, note },
        ]),
      ),
    },
  ])
  const config = {
    server: { port: 0 },
    logging: { destination: 'file' },
    deploy: {
      steps: [
        { weight: 20, hold: '20s' },
        { weight: 50, hold: '30s' },
      ],
      metricsEvery: '5s',
      maxTime: '5m',
      progressDeadline: '30s',
      keepStableWarm: '10s',
      limits: { minSamples: 25, warmUp: '5s', strikes: 2, maxLatencyRegression: 1 },
    },
    services: Object.fromEntries(services) as unknown,
  }
  return `${demoHeader}\n${stringify(config, { aliasDuplicateObjects: false, lineWidth: 0 })}`
}
