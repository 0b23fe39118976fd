import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/adapters/system/index.ts'
import { edgePlatform, type EdgeClient } from '../../../src/adapters/platforms/edge/index.ts'
import { contentMark } from '../../../src/edge/supervisor/orphans.ts'
import { identityOf } from '../../../src/edge/supervisor/process-identity.ts'
import { ProcessTable } from '../../../src/edge/supervisor/process-table.ts'
import { ensureEdge, stopEdge } from '../../../src/hosts/edge/index.ts'
import { until } from '../../support/until.ts'
import { releaseOf, serviceName, TestService, valueOf } from '../platform.ts'

const [nobodyUid, strangerUid] = [65_534, 54_321]
const runsNode = (uid: number) => spawnSync(process.execPath, ['-e', '0'], { uid, cwd: '/' }).status === 0
/** Only root can run instances as somebody else, where Node itself is open to others. */
const canTry = process.platform === 'linux' && process.getuid?.() === 0 && runsNode(nobodyUid)

const clock = systemClock()
const runs = async (pid: number | undefined) => pid !== undefined && (await identityOf(pid)) !== null

/** A service whose program needs no file, so that any user can run it. `/detach` starts a daemon. */
const program = `
const { spawn } = require('child_process')
require('http').createServer((request, response) => {
  if (request.url !== '/detach') return response.end('own')
  const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' })
  child.unref()
  response.end(String(child.pid))
}).listen(process.env.PORT, '127.0.0.1')`

const { artifact, ...rest } = releaseOf('r1')
const release = { ...rest, artifact: { ...artifact, argv: [process.execPath, '-e', program], cwd: '/' } }

describe.runIf(canTry)('an edge of root whose service runs as another user', () => {
  let directory: string
  let client: EdgeClient
  let shop: TestService
  let forged: ChildProcess[]
  beforeEach(async () => {
    directory = realpathSync(mkdtempSync(join(tmpdir(), 'pilothouse-edge-')))
    client = valueOf(await ensureEdge({ directory, clock }))
    forged = []
    await declare()
    await shop.run(release)
    valueOf(await shop.weigh({ r1: 100 }))
  })
  afterEach(async () => {
    await stopEdge(client, { directory, clock, withInstances: true, withinMs: 60_000 })
    await client[Symbol.asyncDispose]()
    for (const each of forged) each.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true, maxRetries: 20 })
  })

  async function declare(): Promise<void> {
    const platform = {
      ...edgePlatform(client),
      killAndRestart: async () => undefined,
      [Symbol.asyncDispose]: async () => undefined,
    }
    shop = await TestService.declare(platform, { user: 'nobody' })
  }

  async function crash(): Promise<void> {
    const { pid } = valueOf(await client.call('status', {}))
    process.kill(pid, 'SIGKILL')
    await until('the next edge', async () => {
      const next = await client.call('status', {})
      return (next.ok && next.value.pid !== pid) || undefined
    })
  }

  const loseState = async () => {
    for (const name of ['state.json', 'state.json.previous', 'state.json.journal'])
      writeFileSync(join(directory, name), '{"format":1,"sha2')
    await crash()
  }

  /** A process of a user that no service has, which pretends to be an instance of this edge. */
  const forge = (instanceId: string) => {
    const child = spawn('sleep', ['600'], {
      uid: strangerUid,
      gid: strangerUid,
      cwd: '/',
      detached: true,
      stdio: 'ignore',
      env: {
        PATH: process.env['PATH'],
        PORT: '1',
        PILOTHOUSE_INSTANCE: instanceId,
        PILOTHOUSE_EDGE: directory,
        PILOTHOUSE_SERVICE: serviceName,
        PILOTHOUSE_RELEASE: release.id,
        PILOTHOUSE_CONTENT: contentMark({ ...release, createdBy: release.createdBy.name }),
      },
    })
    forged.push(child)
    return child
  }

  it('ends what an instance has started outside of its group', async () => {
    const stray = Number(await shop.get('/detach'))
    expect(await runs(stray)).toBe(true)
    valueOf(await client.call('restart', { service: serviceName, by: 'test' }))
    await until('the stray process to end', async () => ((await runs(stray)) ? undefined : true))
    expect((await shop.healthy('r1')).length).toBe(1)
  })

  it('adopts its instance after the state was lost, and never what another user puts in its place', async () => {
    const [before] = await shop.instances()
    const stranger = forge('r1-forged')
    await loseState()
    await declare()
    await shop.run(release, 2)
    const pids = (await shop.instances()).map(({ pid }) => pid)
    expect(pids).toContain(before?.pid)
    expect(pids).not.toContain(stranger.pid)
  })

  it('does not take up another user’s process for one that was never noted', async () => {
    const [instance] = await shop.instances()
    const stranger = forge(instance?.id ?? '')
    const { pid } = valueOf(await client.call('status', {}))
    process.kill(instance?.pid ?? 0, 'SIGKILL')
    process.kill(pid, 'SIGKILL')
    const again = await until('it to run again', async () => {
      const [one] = await shop.instances().catch(() => [])
      return one?.state === 'healthy' && one.pid !== instance?.pid ? one : undefined
    })
    expect(again.pid).not.toBe(stranger.pid)
  })

  it('leaves no process when it is stopped after the state was lost', async () => {
    const [before] = await shop.instances()
    await loseState()
    valueOf(await stopEdge(client, { directory, clock, withInstances: true, withinMs: 60_000 }))
    expect(await runs(before?.pid ?? 0)).toBe(false)
  })
})

describe.runIf(canTry)('what an instance of another user uses', () => {
  it('includes its daemons, and nothing that a third user gives its mark', async () => {
    const start = (uid: number) =>
      spawn('sleep', ['600'], {
        uid,
        gid: uid,
        cwd: '/',
        detached: true,
        stdio: 'ignore',
        env: { PATH: process.env['PATH'], PILOTHOUSE_INSTANCE: 'r1-used' },
      })
    const [leader, daemon, forged] = [start(nobodyUid), start(nobodyUid), start(strangerUid)]
    try {
      const usage = await new ProcessTable(clock).usageOf(leader.pid ?? 0, 'r1-used')
      const pids = [...(usage?.cpuMs.keys() ?? [])].map((key) => Number.parseInt(key, 10))
      expect(pids.sort()).toEqual([leader.pid, daemon.pid].sort())
    } finally {
      for (const each of [leader, daemon, forged]) each.kill('SIGKILL')
    }
  })
})
