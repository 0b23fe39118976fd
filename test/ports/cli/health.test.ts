import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { peer } from '../../support/peers.ts'
import { sessionOf } from '../../support/sign-in.ts'
import { startNode } from './process.ts'

const entry = fileURLToPath(new URL('./entry.ts', import.meta.url))
const promtool = peer('promtool')

let directory: string
let served: ReturnType<typeof startNode>
let origin: string
let token: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pilothouse-health-'))
  await mkdir(join(directory, 'screens'))
  await writeFile(join(directory, 'screens', 'index.html'), '<!doctype html>')
  // How busy this machine is decides nothing here.
  await writeFile(join(directory, 'pilothouse.yaml'), 'health: { minReadyScore: 0 }\n')
  const args = [join(directory, 'screens'), 'serve', '--no-open', '--port', '0', '--data-dir', 'data']
  served = startNode(entry, args, directory)
  const [url] = await served.until('stdout', /http:\/\/127\.0\.0\.1:\d+\/\S*/)
  origin = new URL(url).origin
  token = await sessionOf(url)
  const isReady = async () => expect((await fetch(`${origin}/health/readiness`)).status).toBe(200)
  await vi.waitFor(isReady, { timeout: 100_000 })
})
afterAll(async () => {
  served.signal('SIGTERM')
  await served.ended
  await rm(directory, { recursive: true, force: true })
})

interface Figures {
  healthScore: number
  alerts: { critical: number; warning: number }
  hosts: { id: string; freshness: string; metrics: Record<string, number> }[]
}

describe('the health endpoints of a running engine', () => {
  it('give the health score, counts of alerts and real figures of this machine', async () => {
    const read = async () => (await (await fetch(`${origin}/health/metrics`)).json()) as Figures
    await expect.poll(async () => (await read()).hosts[0]?.metrics['cpu.busy']).toBeDefined()
    const { healthScore, alerts, hosts } = await read()
    expect(healthScore).toBeGreaterThanOrEqual(0)
    expect(healthScore).toBeLessThanOrEqual(100)
    expect(alerts.critical + alerts.warning).toBeGreaterThanOrEqual(0)
    expect(hosts[0]).toMatchObject({ id: 'local', freshness: 'fresh' })
    expect(hosts[0]?.metrics['memory.total']).toBeGreaterThan(1e8)
  })

  it('name each readiness check', async () => {
    const answer = (await (await fetch(`${origin}/health/readiness`)).json()) as {
      atMs: number
      checks: { name: string }[]
    }
    const names = answer.checks.map(({ name }) => name)
    for (const name of [
      'state database',
      'telemetry database',
      'sampling local',
      'telemetry of local',
      'health',
      'services',
    ]) {
      expect(names).toContain(name)
    }
    expect(Math.abs(Date.now() - answer.atMs)).toBeLessThan(60_000)
  })

  it.skipIf(promtool.isMissing)('give metrics that promtool finds nothing to say against', async () => {
    const metrics = await (await fetch(`${origin}/metrics`)).text()
    const { status, stdout, stderr } = spawnSync(promtool.path, ['check', 'metrics'], {
      input: metrics,
      encoding: 'utf8',
    })
    expect(`${stdout}${stderr}`).toBe('')
    expect(status).toBe(0)
    expect(metrics).toMatch(/^pilothouse_host_sample_age_seconds\{host="local"\} [\d.e-]+$/m)
    expect(metrics).toMatch(/^pilothouse_host_memory_total_bytes\{host="local"\} [\d.e+]+$/m)
    expect(metrics).toMatch(/^pilothouse_check_ok\{check="state database"\} 1$/m)
  })
})

describe('trends of a running engine', () => {
  it('are null until there is enough to say, and then tell a direction', async () => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const hosts = (await (await fetch(`${origin}/api/v1/hosts`, { headers })).json()) as {
      series: { id: number; name: string }[]
    }[]
    const uptime = hosts[0]?.series.find(({ name }) => name === 'uptime')?.id
    const ask = async () => {
      const body = JSON.stringify({ hostId: 'local', seriesIds: [uptime] })
      const answer = await fetch(`${origin}/api/v1/telemetry/trends`, { method: 'POST', headers, body })
      return (await answer.json()) as { trend: { direction: string; slopePerSecond: number } | null }[]
    }
    await expect.poll(async () => (await ask())[0]?.trend?.direction).toBe('rising')
    expect((await ask())[0]?.trend?.slopePerSecond).toBeCloseTo(1, 1)
  })
})
