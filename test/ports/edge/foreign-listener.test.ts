import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { until } from '../../support/until.ts'
import { releaseOf, TestService, valueOf } from '../platform.ts'
import { EdgeProcess } from './edge-process.ts'

const otherUid = 65_534
const runsNode = () => spawnSync(process.execPath, ['-e', '0'], { uid: otherUid, cwd: '/' }).status === 0

const server = createServer()
const hasIpv6 = await new Promise<boolean>((resolve) => {
  server.once('error', () => resolve(false)).listen(0, '::1', () => server.close(() => resolve(true)))
})
/** Only root can be another user, where Node itself is open to others. */
const canTry = process.platform === 'linux' && process.getuid?.() === 0 && hasIpv6 && runsNode()

/** A process of another user that answers everything at `host` and `port`. */
async function squat(host: string, port: number) {
  const code = `require('http').createServer((q, a) => a.end('stolen')).listen(${port}, '${host}', () => console.log('on'))`
  const child = spawn(process.execPath, ['-e', code], {
    uid: otherUid,
    gid: otherUid,
    cwd: '/',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return { [Symbol.dispose]: () => void child.kill('SIGKILL') }
}

describe.runIf(canTry)('an instance whose port another user listens on', () => {
  it('gets the requests itself, however long it takes to listen', async () => {
    await using edge = await EdgeProcess.start()
    const shop = await TestService.declare({
      target: edge.target,
      router: edge.router,
      killAndRestart: () => edge.end('SIGKILL'),
      [Symbol.asyncDispose]: async () => undefined,
    })
    await shop.ensure(releaseOf('r1', { START_MS: '3000' }))
    const { port } = await until('its port', async () => {
      const [one] = await shop.instances()
      return one && one.port > 0 && one.pid !== null ? one : undefined
    })
    using _squatter = await squat('::1', port)
    const reason = await until('the reason', async () => {
      const [one] = await shop.instances()
      if (one?.state === 'healthy') return 'it is healthy'
      return one?.reason.includes('another user') ? one.reason : undefined
    })
    expect(reason).toBe(`its port ${port} is held by another user (uid ${otherUid})`)
    const [healthy] = await shop.healthy('r1')
    expect(healthy).toMatchObject({ port, reason: '' })
    valueOf(await shop.weigh({ r1: 100 }))
    expect(await shop.get()).toBe('r1')
  })

  it('is unhealthy as long as it does not listen there itself, also after it was healthy', async () => {
    await using edge = await EdgeProcess.start()
    const shop = await TestService.declare(
      {
        target: edge.target,
        router: edge.router,
        killAndRestart: () => edge.end('SIGKILL'),
        [Symbol.asyncDispose]: async () => undefined,
      },
      {
        health: { path: '/health', intervalMs: 200, timeoutMs: 5000, rise: 1, fall: 2, restartAfterMs: null },
      },
    )
    await shop.run(releaseOf('r1'))
    valueOf(await shop.weigh({ r1: 100 }))
    const [{ port } = { port: 0 }] = await shop.instances()
    // It lives on, and listens no more.
    await shop.get('/deaf')
    using _squatter = await squat('127.0.0.1', port)
    const seen = await until('it to be found out', async () => {
      const [one] = await shop.instances()
      return one?.state === 'unhealthy' && one.reason.includes('another user') ? one : undefined
    })
    expect(seen.reason).toBe(`its port ${port} is held by another user (uid ${otherUid})`)
  })
})
