import { join } from 'node:path'
import type { AppError, Result } from '../../src/base/index.ts'
import {
  edgeReleaseSchema,
  serviceDefinitionSchema,
  type Capabilities,
  type EdgeDefinition,
  type EdgeRelease,
  type Instance,
  type InstanceAddress,
  type Release,
  type Weights,
} from '../../src/contract/index.ts'
import type { Router, RouterReport, Target } from '../../src/engine/platforms/index.ts'
import { until } from '../support/until.ts'
import { person } from '../support/person.ts'

/** A real router and target, to be tested together: instances of the one take the requests of the other. */
export interface PlatformUnderTest extends AsyncDisposable {
  target: Target
  router: Router
  /** Ends what serves without a chance to tidy up, and starts it again. */
  killAndRestart(): Promise<void>
}

/** What the suites may ask of a platform: its capabilities, and how real it is. What it does not offer is skipped. */
export interface Offers extends Capabilities {
  /** Requests of clients reach its instances. */
  servesClients: boolean
  /** Instances are processes that tests can look at and end. */
  runsProcesses: boolean
}

export type OpenPlatform = () => Promise<PlatformUnderTest>

/** The value of what succeeded; throws the failure of what did not. */
export function valueOf<T>(result: Result<T>): T {
  if (!result.ok) throw result.error
  return result.value
}

/** The failure's code; null of a success. */
export const codeOf = (result: Result<unknown, AppError>): string | null =>
  result.ok ? null : result.error.code

const backend = join(import.meta.dirname, 'edge/backend.mjs')

export const serviceName = 'shop'

/** A release that runs the backend of these tests; `env` chooses how it behaves. */
export const releaseOf = (id: string, env: Record<string, string> = {}): Release => ({
  service: serviceName,
  id,
  artifact: { kind: 'command', argv: [process.execPath, backend], env },
  parameters: {},
  note: '',
  createdAtMs: 0,
  createdBy: person('test'),
})

/** The same as an edge is told of it. */
export const edgeReleaseOf = (id: string, env: Record<string, string> = {}): EdgeRelease =>
  edgeReleaseSchema.parse({ ...releaseOf(id, env), createdBy: 'test' })

export const definitionOf = (changes: Record<string, unknown> = {}) =>
  serviceDefinitionSchema.parse({
    name: serviceName,
    listen: {},
    health: { path: '/health', intervalMs: 200, timeoutMs: 5000, rise: 1, fall: 2 },
    drainMs: 10_000,
    graceMs: 2000,
    ...changes,
  })

/** The same as an edge takes it. */
export const edgeDefinitionOf = (changes: Record<string, unknown> = {}): EdgeDefinition => {
  const { platform: _, ...definition } = definitionOf(changes)
  return definition
}

let keys = 0
/** A key that nobody has used. */
export const newKey = (): string => `key-${++keys}`

/** With its address at hand: these suites call instances and end their processes. */
export type TestInstance = Instance & Pick<InstanceAddress, 'port' | 'pid'>

/** A service on the platform, and what tests do with it again and again. */
export class TestService {
  readonly platform: PlatformUnderTest
  readonly address: string

  constructor(platform: PlatformUnderTest, address: string) {
    this.platform = platform
    this.address = address
  }

  static async declare(
    platform: PlatformUnderTest,
    changes: Record<string, unknown> = {},
  ): Promise<TestService> {
    const definition = definitionOf(changes)
    valueOf(await platform.target.declare(definition))
    const { address } = valueOf(await platform.router.declare(definition))
    return new TestService(platform, address)
  }

  async instances(releaseId?: string): Promise<readonly TestInstance[]> {
    const report = valueOf(await this.platform.target.observe(serviceName))
    const instances = report.instances.map((one) => ({
      ...one,
      port: one.address.port,
      pid: one.address.pid,
    }))
    return releaseId === undefined ? instances : instances.filter((one) => one.releaseId === releaseId)
  }

  async ensure(release: Release, instances = 1): Promise<void> {
    valueOf(await this.platform.target.ensure({ service: serviceName, release, instances, key: newKey() }))
  }

  /** Resolves when so many instances of the release are healthy. */
  async healthy(releaseId: string, count = 1): Promise<readonly TestInstance[]> {
    return until(`${count} healthy instances of ${releaseId}`, async () => {
      const well = (await this.instances(releaseId)).filter(({ state }) => state === 'healthy')
      return well.length === count ? well : undefined
    })
  }

  async run(release: Release, instances = 1): Promise<void> {
    await this.ensure(release, instances)
    await this.healthy(release.id, instances)
  }

  async remove(releaseId: string): Promise<void> {
    valueOf(await this.platform.target.remove({ service: serviceName, releaseId, key: newKey() }))
  }

  async report(): Promise<RouterReport> {
    return valueOf(await this.platform.router.read(serviceName))
  }

  /** Changes the weights from whatever they are now. */
  async weigh(
    weights: Weights,
    fallbackReleaseId = 'r1',
    endsEmergency = false,
  ): Promise<Result<RouterReport>> {
    const { revision } = await this.report()
    return this.platform.router.set({
      service: serviceName,
      weights,
      fallbackReleaseId,
      expectedRevision: revision,
      key: newKey(),
      endsEmergency,
    })
  }

  async get(path = '/', headers: Record<string, string> = {}): Promise<string> {
    const response = await fetch(this.address + path, { headers })
    return response.text()
  }
}
