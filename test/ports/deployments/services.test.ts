import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { stringify } from 'yaml'
import type { AuditEntry, DeclarationView, ServiceState } from '../../../src/contract/index.ts'
import { until } from '../../support/until.ts'
import { shop, Steered } from './steered.ts'

const definition = (port: number) => ({
  listen: { port },
  health: { path: '/health', interval: '200ms' },
  drain: '1s',
  grace: '1s',
  deploy: { keepStableWarm: '0s' },
  releases: { r1: { command: [process.execPath, shop], env: { ERRORS: '0' } } },
})

const tell = { name: 'tell', when: 'after', phase: 'rolling_back' }
const withWebhook = (port: number, url: string, name = 'tell') => ({
  ...definition(port),
  deploy: { keepStableWarm: '0s', hooks: [{ ...tell, name, run: { kind: 'webhook', url } }] },
})

const stateOf = async (steered: Steered, name: string): Promise<ServiceState | undefined> =>
  (await steered.call<ServiceState[]>('/services')).find((each) => each.name === name)

const answerAt = async (address: string): Promise<string> =>
  fetch(address).then(
    (answer) => answer.text(),
    () => 'nobody',
  )

async function firstRelease(steered: Steered, service: string): Promise<string> {
  const { address } = await until(`${service} is looked at`, async () => {
    const state = await stateOf(steered, service)
    return state && state.address !== '' && state.trouble === '' ? state : undefined
  })
  const { id } = await steered.call<{ id: string }>('/deployments', {
    service,
    releaseId: 'r1',
    why: 'first',
  })
  expect((await steered.ended(id)).phase).toBe('promoted')
  return address
}

it('a service is declared while the engine runs, serves, survives the engine, changes, and goes for good', async () => {
  await using steered = await Steered.start()
  await writeFile(join(steered.directory, 'cart.yaml'), stringify(definition(0)))
  expect(await steered.command('services', 'cart', 'declare', 'cart.yaml')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('pilothouse deploy cart r1') as string,
  })
  expect(await steered.call<DeclarationView>('/services/cart/declaration')).toMatchObject({
    definition: definition(0),
    revision: 1,
  })
  const address = await firstRelease(steered, 'cart')
  expect(await answerAt(address)).toBe('r1')

  await steered.killEngine()
  expect(await answerAt(address)).toBe('r1')
  await steered.startEngine()
  await until('the engine knows the declared service again', async () =>
    (await stateOf(steered, 'cart'))?.stableReleaseId === 'r1' ? true : undefined,
  )
  expect((await stateOf(steered, 'cart'))?.origin).toBe('declared')

  const put = (body: object) => steered.put('/services/cart/declaration', body)
  await expect(put({ definition: { ...definition(0), helth: {} } })).rejects.toThrow(/helth.*health/)
  await expect(put({ definition: definition(0), expectedRevision: 0 })).rejects.toThrow(
    /is at revision 1, not 0/,
  )
  await put({ definition: { ...definition(0), drain: '2s' }, expectedRevision: 1 })
  expect(await answerAt(address)).toBe('r1')

  await put({ definition: withWebhook(0, 'https://hooks.example/T0/secret') })
  const { definition: shown } = await steered.call<DeclarationView>('/services/cart/declaration')
  expect(shown).toEqual(withWebhook(0, 'https://hooks.example/••••••'))
  await put({ definition: { ...shown, drain: '3s' }, expectedRevision: 3 })
  await expect(put({ definition: withWebhook(0, 'https://hooks.example/••••••', 'page') })).rejects.toThrow(
    /the full address/,
  )

  expect(await steered.command('services', 'shop', 'remove')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('is defined in the configuration file') as string,
  })
  expect((await steered.command('services', 'cart', 'remove', '--why', 'not needed')).code).toBe(0)
  expect(await stateOf(steered, 'cart')).toBeUndefined()
  await until('the service has gone', async () => ((await answerAt(address)) === 'nobody' ? true : undefined))
  const history = await steered.call<{ service: string }[]>('/deployments?service=cart')
  expect(history).toHaveLength(1)
  const audit = await steered.call<AuditEntry[]>('/audit?target=cart')
  expect(audit.map(({ action }) => action)).toEqual([
    'services.remove',
    'services.declare',
    'services.declare',
    'services.declare',
    // Declarations that were refused.
    'orders.refused',
    'orders.refused',
    'deployments.handOver',
    'deployments.request',
    'releases.add',
    'services.declare',
  ])
})

it('a changed configuration takes effect while traffic goes on: services come, change and go', async () => {
  await using steered = await Steered.start()
  const shopAddress = await firstRelease(steered, 'shop')
  const file = join(steered.directory, 'pilothouse.json')
  const { services } = JSON.parse(await readFile(file, 'utf8')) as { services: Record<string, object> }
  const write = (changed: Record<string, object>) => writeFile(file, JSON.stringify({ services: changed }))

  await write({ ...services, cart: definition(0) })
  const cartAddress = await firstRelease(steered, 'cart')
  expect((await stateOf(steered, 'cart'))?.origin).toBe('file')
  await expect(steered.put('/services/cart/declaration', { definition: definition(0) })).rejects.toThrow(
    /is defined in the configuration file/,
  )

  await write({ shop: { ...services['shop'], drain: '3s' } })
  await until('the service that is not named any more is not steered', async () =>
    (await stateOf(steered, 'cart')) ? undefined : true,
  )
  expect(await answerAt(cartAddress)).toBe('r1')
  expect(await answerAt(shopAddress)).toBe('r1')

  await steered.call('/services/cart/remove', {})
  await until('what served on has ended', async () =>
    (await answerAt(cartAddress)) === 'nobody' ? true : undefined,
  )
  expect(await answerAt(shopAddress)).toBe('r1')
})

it('a changed number of instances holds for the running service, up, down and up again, without a deployment', async () => {
  await using steered = await Steered.start()
  const put = (instances: number, expectedRevision: number) =>
    steered.put('/services/cart/declaration', {
      definition: { ...definition(0), deploy: { keepStableWarm: '0s', instances } },
      expectedRevision,
      why: 'more visitors',
    })
  await put(1, 0)
  const address = await firstRelease(steered, 'cart')
  const running = async () =>
    ((await stateOf(steered, 'cart'))?.instances ?? []).filter(({ state }) => state === 'healthy').length
  const failed: string[] = []
  let isOver = false
  const visits = (async () => {
    while (!isOver) {
      const said = await answerAt(address)
      if (said !== 'r1') failed.push(said)
    }
  })()
  let revision = 1
  for (const instances of [3, 1, 3]) {
    await put(instances, revision++)
    await until(`${instances} instances run`, async () =>
      (await running()) === instances ? true : undefined,
    )
  }
  isOver = true
  await visits
  expect(failed).toEqual([])
  const entries = (await steered.call<AuditEntry[]>('/audit')).filter(
    ({ action }) => action === 'services.scale',
  )
  expect(entries.map(({ details }) => [details['from'], details['to']]).toReversed()).toEqual([
    [1, 3],
    [3, 1],
    [1, 3],
  ])
  expect(await steered.call<object[]>('/deployments')).toHaveLength(1)

  await steered.killEngine()
  await steered.startEngine()
  await until('the engine steers it again', async () =>
    (await stateOf(steered, 'cart'))?.stableReleaseId === 'r1' ? true : undefined,
  )
  expect(await running()).toBe(3)
}, 120_000)

it('a number of instances that is edited while no engine runs holds at the next start', async () => {
  await using steered = await Steered.start()
  const address = await firstRelease(steered, 'shop')
  const file = join(steered.directory, 'pilothouse.json')
  const { services } = JSON.parse(await readFile(file, 'utf8')) as {
    services: { shop: { deploy: object } }
  }
  await steered.killEngine()
  const deploy = { ...services.shop.deploy, instances: 3 }
  await writeFile(file, JSON.stringify({ services: { shop: { ...services.shop, deploy } } }))
  await steered.startEngine()
  await until('three instances run', async () => {
    const { instances = [] } = (await stateOf(steered, 'shop')) ?? {}
    return instances.filter(({ state }) => state === 'healthy').length === 3 ? true : undefined
  })
  expect(await answerAt(address)).toBe('r1')
  const audit = await steered.call<AuditEntry[]>('/audit?target=shop')
  expect(audit.find(({ action }) => action === 'services.scale')?.details).toMatchObject({ from: 1, to: 3 })
}, 120_000)

it('a service whose port another program uses says so once, everywhere, until it can listen', async () => {
  await using steered = await Steered.start(undefined, true)
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  await steered.put('/services/cart/declaration', { definition: definition(port), why: 'a test' })
  const reason = `Cannot listen on 127.0.0.1:${port}: another program uses port ${port} (EADDRINUSE)`
  const concerned = () =>
    stateOf(steered, 'cart').then((state) => (state?.concerns.length ? state : undefined))
  const state = await until('a concern', concerned)
  expect(state.concerns).toMatchObject([{ kind: 'not-listening', severity: 'critical', detail: reason }])
  await wait(5000)
  expect((await stateOf(steered, 'cart'))?.concerns).toMatchObject([{ detail: reason }])
  const shown = await steered.command('services', 'cart')
  expect(shown.stdout.split(reason)).toHaveLength(2)
  expect(shown.stdout).not.toContain('The edge runs no service')
  const logs = (await readdir(steered.directory, { recursive: true })).filter((name) => name.endsWith('.log'))
  const lines = await Promise.all(logs.map((name) => readFile(join(steered.directory, name), 'utf8')))
  expect(lines.join('').split('EADDRINUSE').length - 1).toBeLessThanOrEqual(2)
  other.close()
  await until('it listens', async () => (await stateOf(steered, 'cart'))?.concerns.length === 0 || undefined)
  await firstRelease(steered, 'cart')
  expect(await answerAt(`http://127.0.0.1:${port}`)).toBe('r1')
})

it('a service that is moved to a port of another program serves on at the old one, and says why', async () => {
  await using steered = await Steered.start(undefined, true)
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  await steered.put('/services/cart/declaration', { definition: definition(0), why: 'a test' })
  const address = await firstRelease(steered, 'cart')
  await steered.put('/services/cart/declaration', {
    definition: definition(port),
    why: 'moved',
    expectedRevision: 1,
  })
  const refusal = await until('a refusal', async () => (await stateOf(steered, 'cart'))?.refusal)
  expect(refusal).toContain('(EADDRINUSE)')
  expect(await answerAt(address)).toBe('r1')
  other.close()
  await until('it is moved', async () => (await stateOf(steered, 'cart'))?.concerns.length === 0 || undefined)
  expect(await answerAt(`http://127.0.0.1:${port}`)).toBe('r1')
})
