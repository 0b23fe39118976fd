import { execFileSync } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/adapters/system/index.ts'
import { guardsSchema } from '../../../src/contract/index.ts'
import { edgeClient, ensureEdge } from '../../../src/hosts/edge/index.ts'
import { until } from '../../support/until.ts'
import { startNode } from '../cli/process.ts'
import { edgeDefinitionOf, edgeReleaseOf, serviceName, valueOf } from '../platform.ts'

const entry = join(import.meta.dirname, '../../../src/hosts/edge/main.ts')

/** Whether this test may mount a filesystem of its own. */
function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  const directory = mkdtempSync(join(tmpdir(), 'ph-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory], { stdio: 'ignore' })
    execFileSync('umount', [directory])
    return true
  } catch {
    return false
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

interface Disk {
  spoil: () => void
  repair: () => void
}

describe.runIf(canMount())('an edge whose disk takes nothing', () => {
  let mount: string
  let directory: string
  let edge: ReturnType<typeof startNode>
  beforeEach(async () => {
    mount = mkdtempSync(join(tmpdir(), 'ph-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=700', 'tmpfs', mount])
    directory = join(mount, 'edge')
    await start()
    await using client = edgeClient(directory)
    valueOf(await client.call('declare', { definition: edgeDefinitionOf() }))
    valueOf(
      await client.call('ensure', {
        service: serviceName,
        release: edgeReleaseOf('r1'),
        instances: 1,
        key: 'r1',
      }),
    )
    const weights = {
      service: serviceName,
      weights: { r1: 100 },
      fallbackReleaseId: 'r1',
      expectedRevision: 0,
      key: 'w1',
      endsEmergency: false,
    }
    await until('traffic', async () => (await client.call('setWeights', weights)).ok || undefined)
    await served()
  })
  afterEach(async () => {
    rmSync(join(mount, 'filling'), { force: true })
    await using client = edgeClient(directory)
    await client.call('stop', { instances: true })
    await edge.ended
    await until('the mount to be free', () => {
      try {
        execFileSync('umount', [mount], { stdio: 'ignore' })
        return true
      } catch {
        return undefined
      }
    })
    rmSync(mount, { recursive: true, force: true })
  })

  const start = async () => {
    edge = startNode(entry, ['--directory', directory], tmpdir())
    await edge.until('stdout', /edge serves at/)
  }
  const status = async () => {
    await using client = edgeClient(directory)
    return valueOf(await client.call('status', {}))
  }
  const instance = async () => {
    await using client = edgeClient(directory)
    return valueOf(await client.call('observe', { service: serviceName })).instances[0]
  }
  const served = () =>
    until('an answer', async () => {
      const { services } = await status()
      const answer = await fetch(services[0]?.address ?? '').catch(() => null)
      return answer?.status === 200 || undefined
    })

  const full: Disk = {
    spoil: () => {
      const file = openSync(join(mount, 'filling'), 'w')
      try {
        for (;;) writeSync(file, Buffer.alloc(4096))
      } catch {
        closeSync(file)
      }
    },
    repair: () => rmSync(join(mount, 'filling')),
  }
  const readOnly: Disk = {
    // What is open for writing keeps a mount from becoming read-only: the bind mount is made so instead.
    spoil: () => {
      execFileSync('mount', ['--bind', mount, mount])
      execFileSync('mount', ['-o', 'remount,bind,ro', mount])
    },
    repair: () => execFileSync('umount', ['-l', mount]),
  }

  it.each([
    ['full', full],
    ['read-only', readOnly],
  ])('starts, serves and restarts instances while it is %s, and writes when it can', async (_, disk) => {
    const before = await instance()
    disk.spoil()
    try {
      // A crashed instance comes back.
      process.kill(before?.pid ?? 0, 'SIGKILL')
      const again = await until('another process', async () => {
        const now = await instance()
        return now?.state === 'healthy' && now.pid !== before?.pid ? now : undefined
      })
      await served()
      expect(await until('a word about it', async () => (await status()).trouble || undefined)).toContain(
        'state cannot be written',
      )

      // A crashed edge comes back, finds the instance that no state on the disk names, and is still the only one.
      edge.signal('SIGKILL')
      await edge.ended
      await start()
      await served()
      expect((await instance())?.pid).toBe(again.pid)
      const second = await startNode(entry, ['--directory', directory], tmpdir()).ended
      expect(second.stderr).toContain('already running')
      expect((await status()).pid).toBe(edge.pid)

      // An engine that declares the service again is not refused, nor is one that needs the edge.
      await using client = edgeClient(directory)
      valueOf(await client.call('declare', { definition: edgeDefinitionOf() }))
      await using ensured = valueOf(await ensureEdge({ directory, clock: systemClock() }))
      expect(valueOf(await ensured.call('status', {})).pid).toBe(edge.pid)
    } finally {
      disk.repair()
    }
    await until('all to be written', async () => (await status()).trouble === '' || undefined)
    expect(readFileSync(join(directory, 'edge.lock'), 'utf8')).toContain(`${edge.pid} `)
    expect(existsSync(join(directory, 'state.json'))).toBe(true)
    expect(readFileSync(join(directory, 'state.json'), 'utf8')).toContain(String((await instance())?.pid))
  })

  it.each([
    ['full', full],
    ['read-only', readOnly],
  ])('follows orders while it is %s, and says that a restart would forget them', async (_, disk) => {
    await using client = edgeClient(directory)
    const service = serviceName
    disk.spoil()
    try {
      valueOf(await client.call('ensure', { service, release: edgeReleaseOf('r2'), instances: 1, key: 'r2' }))
      const { revision } = valueOf(await client.call('weights', { service }))
      const order = {
        service,
        weights: { r1: 50, r2: 50 },
        fallbackReleaseId: 'r1',
        expectedRevision: revision,
        key: 'w2',
        endsEmergency: false,
      }
      const moved = await until('r2 to be healthy', async () => {
        const answer = await client.call('setWeights', order)
        return answer.ok ? answer.value : undefined
      })
      expect(moved).toMatchObject({ weights: { r1: 50, r2: 50 }, isKept: false })
      valueOf(await client.call('setGuards', { service, guards: guardsSchema.parse({}) }))
      expect(valueOf(await client.call('observe', { service })).trouble).toContain('state cannot be written')
      expect((await status()).trouble).toContain('lost if the edge restarts')
      // A service that is withdrawn goes, though its end cannot be noted.
      valueOf(await client.call('declare', { definition: edgeDefinitionOf({ name: 'cart' }) }))
      valueOf(await client.call('withdraw', { service: 'cart' }))
      await until('the service to go', async () =>
        (await status()).services.some(({ name }) => name === 'cart') ? undefined : true,
      )
    } finally {
      disk.repair()
    }
    await until('all to be written', async () => (await status()).trouble === '' || undefined)
    expect(valueOf(await client.call('observe', { service })).trouble).toBe('')
    edge.signal('SIGKILL')
    await edge.ended
    await start()
    await using again = edgeClient(directory)
    expect(valueOf(await again.call('weights', { service })).weights).toEqual({ r1: 50, r2: 50 })
  })

  it.each([
    ['full', full],
    ['read-only', readOnly],
  ])('is started by an engine while it is %s', async (_, disk) => {
    edge.signal('SIGKILL')
    await edge.ended
    disk.spoil()
    try {
      await using client = valueOf(await ensureEdge({ directory, clock: systemClock() }))
      expect(valueOf(await client.call('status', {})).services).toHaveLength(1)
      await served()
    } finally {
      disk.repair()
    }
  })
})
