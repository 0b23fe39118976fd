import { person } from '../../support/person.ts'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Disposables } from '../../../src/base/index.ts'
import { readConfig } from '../../../src/adapters/config/index.ts'
import { edgePlatform } from '../../../src/adapters/platforms/edge/index.ts'
import { systemClock } from '../../../src/adapters/system/index.ts'
import type { ServiceConfig } from '../../../src/engine/config/index.ts'
import { endEdge, prepareDemo } from '../../../src/hosts/demo/demo-directory.ts'
import { sendVisitors } from '../../../src/hosts/demo/visitors.ts'
import { edgeDirectory, ensureEdge } from '../../../src/hosts/edge/index.ts'
import { announceServer } from '../../../src/hosts/server-file.ts'
import { until } from '../../support/until.ts'

let home: string
let directory: string
let held: Disposables

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'pilothouse-demo-'))
  directory = join(home, 'demo')
  held = new Disposables()
})
afterEach(async () => {
  await held[Symbol.asyncDispose]()
  await endEdge(directory)
  await rm(home, { recursive: true, force: true })
})

/** The services of the demo's own config, on a real edge of its own. */
async function openShop() {
  const demo = await prepareDemo(directory)
  const system = { platform: process.platform, variables: {}, home, workingDirectory: home }
  const { result } = await readConfig({ system, file: demo.configFile })
  if (!result.ok) throw new Error(result.error[0]?.message)
  const edge = await ensureEdge({ directory: edgeDirectory(directory), clock: systemClock() })
  if (!edge.ok) throw edge.error
  held.use(edge.value)
  const { router, target } = edgePlatform(edge.value)
  const start = async ({ definition, releases }: ServiceConfig, id: string) => {
    const release = releases.find((each) => each.id === id)
    if (!release) throw new Error(`no release ${id}`)
    const service = definition.name
    const made = { ...release, service, createdAtMs: 0, createdBy: person('test') }
    await target.ensure({ service, release: made, instances: 1, key: `${service}-${id}` })
  }
  const state = async (service: string, id: string) => {
    const seen = await target.observe(service)
    return seen.ok ? seen.value.instances.find(({ releaseId }) => releaseId === id)?.state : undefined
  }
  const split = (service: string, weights: Record<string, number>, expectedRevision: number) =>
    router.set({
      service,
      weights,
      fallbackReleaseId: 'v1',
      expectedRevision,
      key: `${service}-${expectedRevision}`,
      endsEmergency: false,
    })
  const counts = async (service: string, id: string) => {
    const page = await router.bins(service, null)
    const bins = page.ok ? page.value.bins.filter(({ releaseId }) => releaseId === id) : []
    const sum = (pick: 'requests' | 'errors') => bins.reduce((total, bin) => total + bin[pick], 0)
    return { requests: sum('requests'), errors: sum('errors') }
  }
  const services = result.value.config.services
  for (const service of services) {
    const declared = await router.declare(service.definition)
    if (!declared.ok) throw declared.error
    await start(service, 'v1')
  }
  for (const { definition } of services) {
    const healthy = async () => (await state(definition.name, 'v1')) === 'healthy' || undefined
    await until(`${definition.name} is healthy`, healthy)
    await split(definition.name, { v1: 100 }, 0)
  }
  const checkout = services.find(({ definition }) => definition.name === 'checkout')
  if (!checkout) throw new Error('no checkout')
  return { demo, checkout, start, state, split, counts }
}

describe('the shop of the demo', () => {
  it('serves its visitors without a failure, and its faulty release shows at the router', async () => {
    const { demo, checkout, start, state, split, counts } = await openShop()
    await start(checkout, 'errors')
    await until(
      'errors is healthy',
      async () => (await state('checkout', 'errors')) === 'healthy' || undefined,
    )
    await split('checkout', { v1: 50, errors: 50 }, 1)
    held.use(sendVisitors(demo.ports, { perSecond: 20, seed: 1 }))
    const faulty = await until(
      'the faulty release fails',
      async () => {
        const seen = await counts('checkout', 'errors')
        return seen.requests >= 300 && seen.errors > 0 ? seen : undefined
      },
      90_000,
    )
    expect(faulty.errors / faulty.requests).toBeLessThan(0.1)
    const stable = await counts('checkout', 'v1')
    expect(stable.requests).toBeGreaterThan(100)
    expect(stable.errors).toBe(0)
    expect((await counts('cart', 'v1')).errors).toBe(0)
  })

  it('has a release that never becomes healthy, and one that does after a slow start', async () => {
    const { checkout, start, state } = await openShop()
    await Promise.all([start(checkout, 'never-healthy'), start(checkout, 'slow-start')])
    await until(
      'slow-start is healthy',
      async () => (await state('checkout', 'slow-start')) === 'healthy' || undefined,
      60_000,
    )
    expect(await state('checkout', 'never-healthy')).not.toBe('healthy')
  })

  it('leaves nothing running when its edge is ended', async () => {
    const { demo } = await openShop()
    const health = `http://127.0.0.1:${demo.ports.cart}/health`
    expect((await fetch(health)).status).toBe(200)
    await endEdge(directory)
    await expect(fetch(health)).rejects.toThrow('fetch failed')
  })
})

describe('the directory of the demo', () => {
  it('begins anew, but touches nothing that it did not write and no demo that runs', async () => {
    await prepareDemo(directory)
    await writeFile(join(directory, 'left-over'), '')
    await prepareDemo(directory)
    await expect(readFile(join(directory, 'left-over'))).rejects.toThrow('ENOENT')
    const running = await announceServer(directory, { url: 'http://127.0.0.1:1', token: 't' })
    await expect(prepareDemo(directory)).rejects.toThrow(/is already running on /)
    await running[Symbol.asyncDispose]()
    await writeFile(join(directory, 'pilothouse.yaml'), 'services: {}\n')
    await expect(prepareDemo(directory)).rejects.toThrow('was not changed')
  })
})
