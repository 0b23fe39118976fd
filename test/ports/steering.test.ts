import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog, type Result } from '../../src/base/index.ts'
import { openStateStore, type StateStore } from '../../src/adapters/stores/state/index.ts'
import { EdgeClient, edgePlatform } from '../../src/adapters/platforms/edge/index.ts'
import { systemClock, systemRng } from '../../src/adapters/system/index.ts'
import { loadConfig, type Config } from '../../src/engine/config/index.ts'
import { buildPlan, type ValidationRequest } from '../../src/engine/deployments/index.ts'
import { storeReleases } from '../../src/engine/services/index.ts'
import { steer } from '../../src/hosts/steering/index.ts'
import { EdgeProcess } from './edge/edge-process.ts'

const clock = systemClock()

function valueOf<T>(result: Result<T>): T {
  if (!result.ok) throw result.error
  return result.value
}

function configOf(text: string): Config {
  const places = { workingDirectory: '/', home: '/', dataDirectory: '/data' }
  const bytes = new TextEncoder().encode(text)
  const loaded = loadConfig({
    file: { path: join(directory, 'pilothouse.yaml'), bytes },
    variables: {},
    flags: [],
    places,
  })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error))
  return loaded.value.config
}

const text = `deploy: {hold: 5m}
services:
  shop:
    deploy: {weight: 20%}
    checks:
      - {kind: command, name: gate, argv: ['${process.execPath}', -e, 'console.log(process.env.PILOTHOUSE_RELEASE)']}
    releases:
      r1: {command: ['${process.execPath}', -e, '0'], note: first}
      r2: {command: [/no/such/program], parameters: {password: hunter2hunter2}}
`

let directory: string
let state: StateStore
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'pilothouse-steering-'))
  state = valueOf(await openStateStore({ file: join(directory, 'state.sqlite'), clock }))
})
afterEach(async () => {
  await state[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true, force: true })
})

const steered = (edge: EdgeClient) => {
  const surroundings = steer({
    origin: () => null,
    platforms: [edgePlatform(edge)],
    service: (name) => {
      const found = configOf(text).services.find(({ definition }) => definition.name === name)
      if (!found) return undefined
      const { definition, checks, deploy } = found
      return {
        ...surroundings.equip(definition),
        definition,
        checks,
        deployOptions: [deploy],
        maxErrorRatio: 0.01,
        origin: 'file',
      }
    },
    stores: state.stores,
    hosts: () => [],
    workDirectory: directory,
    clock,
    rng: systemRng(),
    log: silentLog,
  })
  return surroundings
}

async function requestFor(releaseId: string): Promise<ValidationRequest> {
  valueOf(await storeReleases(configOf(text).services, { stores: state.stores, clock }))
  const release = valueOf(await state.stores.releases.find('shop', releaseId))
  return { deploymentId: 'd1', service: 'shop', release, stableReleaseId: null, plan: valueOf(buildPlan()) }
}

const outcomes = async (edge: EdgeClient, releaseId: string) => {
  const { validator } = steered(edge)
  const validation = valueOf(
    await validator.validate(await requestFor(releaseId), new AbortController().signal),
  )
  const of = Object.fromEntries(validation.results.map((result) => [result.name, result]))
  return { of, canDeploy: validation.canDeploy }
}

describe('services out of a config', () => {
  it('run and are routed on the edge that is there, with the checks that are written and the default ones', async () => {
    await using edge = await EdgeProcess.start()
    const { deploy, services } = configOf(text)
    const [shop] = services
    expect(valueOf(buildPlan(deploy, shop!.deploy)).steps).toMatchObject([{ weight: 20, holdMs: 300_000 }])
    const { router, target } = steered(edge.client).equip(shop!.definition)
    expect(valueOf(await router.declare(shop!.definition)).address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(valueOf(await target.observe('shop')).instances).toEqual([])

    const good = await outcomes(edge.client, 'r1')
    expect(good.of['gate']).toMatchObject({ outcome: 'passed', output: 'r1\n' })
    expect(good.of['reachable']?.outcome).toBe('passed')
    expect(good.of['exclusive']?.outcome).toBe('passed')
    expect(good.canDeploy).toBe(true)

    const bad = await outcomes(edge.client, 'r2')
    expect(bad.of['artifact']?.outcome).toBe('failed')
    expect(bad.of['secrets']?.outcome).toBe('failed')
    expect(bad.canDeploy).toBe(false)
  })

  it('cannot be deployed while the edge is away', async () => {
    await using edge = new EdgeClient({ socketPath: join(directory, 'absent.sock'), timeoutMs: 2000 })
    const { of, canDeploy } = await outcomes(edge, 'r1')
    expect(of['reachable']?.outcome).toBe('failed')
    expect(of['gate']?.outcome).toBe('passed')
    expect(canDeploy).toBe(false)
  })
})

describe('releases out of a config', () => {
  const stored = async () => valueOf(await state.stores.releases.newest('shop', 10)).map(({ id }) => id)

  it('are stored once, with an entry in the audit log', async () => {
    for (let times = 0; times < 2; times++)
      valueOf(await storeReleases(configOf(text).services, { stores: state.stores, clock }))
    expect((await stored()).sort()).toEqual(['r1', 'r2'])
    expect(valueOf(await state.stores.releases.find('shop', 'r1'))).toMatchObject({
      note: 'first',
      createdBy: { kind: 'configuration' },
    })
    const audit = valueOf(await state.stores.audit.audit({ limit: 10 }))
    expect(audit.map(({ action, details }) => [action, details['releaseId']])).toEqual([
      ['releases.add', 'r2'],
      ['releases.add', 'r1'],
    ])
  })

  it('keep the directory they were added with: a file that has moved changes none', async () => {
    const { stores } = state
    valueOf(await storeReleases(configOf(text).services, { stores, clock }))
    const before = directory
    directory = mkdtempSync(join(tmpdir(), 'pilothouse-moved-'))
    valueOf(await storeReleases(configOf(text).services, { stores, clock }))
    rmSync(directory, { recursive: true })
    directory = before
    expect(valueOf(await stores.releases.find('shop', 'r1')).artifact.cwd).toBe(before)
  })

  it('never change: a changed one is named, new ones are stored all the same', async () => {
    const { stores } = state
    valueOf(await storeReleases(configOf(text).services, { stores, clock }))
    const changed = text.replace('/no/such/program', '/another') + '      r3: {command: [x]}\n'
    expect(valueOf(await storeReleases(configOf(changed).services, { stores, clock }))).toEqual([
      { service: 'shop', releaseId: 'r2' },
    ])
    expect((await stored()).sort()).toEqual(['r1', 'r2', 'r3'])
    expect(valueOf(await stores.releases.find('shop', 'r2')).artifact.argv).toEqual(['/no/such/program'])
  })
})
