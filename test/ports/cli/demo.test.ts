import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Deployment, ServiceState } from '../../../src/contract/index.ts'
import { endEdge } from '../../../src/hosts/demo/index.ts'
import { startNode } from './process.ts'

const entry = fileURLToPath(new URL('./entry.ts', import.meta.url))

let home: string
let demo: ReturnType<typeof startNode>

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'pilothouse-demo-'))
  await mkdir(join(home, 'screens'))
  await writeFile(join(home, 'screens', 'index.html'), '<!doctype html>')
  demo = start('demo', '--no-open', '--data-dir', 'data')
})
afterEach(async () => {
  demo.signal('SIGKILL')
  await demo.ended
  await endEdge(join(home, 'data', 'demo'))
  await rm(home, { recursive: true, force: true })
})

const start = (...args: string[]) => startNode(entry, [join(home, 'screens'), ...args], home)
const run = (...args: string[]) => start(...args, '--data-dir', 'data/demo').ended
const json = async <T>(...args: string[]) => JSON.parse((await run(...args, '--json')).stdout) as T

describe('pilothouse demo', () => {
  it('opens a shop whose faulty release is rolled back, and leaves nothing running at its end', async () => {
    await demo.until('stdout', /The shop is open/)
    const services = await json<ServiceState[]>('services')
    expect(services.map(({ name, weights }) => [name, weights])).toEqual(
      expect.arrayContaining(['catalog', 'cart', 'checkout'].map((name) => [name, { v1: 100 }])),
    )

    const { code, stdout } = await run('deploy', 'checkout', 'slow-tail', '--watch')
    expect(stdout).toContain('rolled back')
    expect(code).toBe(1)
    const [newest] = await json<Deployment[]>('deployments', 'list', '--service', 'checkout', '--limit', '1')
    expect(newest).toMatchObject({ candidateReleaseId: 'slow-tail', phase: 'rolled_back', weight: 0 })
    expect((await run('audit', 'verify')).code).toBe(0)

    const { address } = (await json<ServiceState[]>('services')).find(({ name }) => name === 'checkout') ?? {}
    expect((await fetch(`${address}/health`)).status).toBe(200)
    demo.signal('SIGINT')
    expect((await demo.ended).code).toBe(0)
    await expect(fetch(`${address}/health`)).rejects.toThrow('fetch failed')
    expect((await run('services')).code).toBe(3)
  }, 300_000)
})
