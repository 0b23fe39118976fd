import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { identityOf } from '../../src/edge/supervisor/process-identity.ts'
import { Load } from '../support/load.ts'
import { until } from '../support/until.ts'
import {
  codeOf,
  newKey,
  releaseOf,
  serviceName,
  TestService,
  valueOf,
  type Offers,
  type OpenPlatform,
  type PlatformUnderTest,
} from './platform.ts'
import { person } from '../support/person.ts'

const runs = (pid: number | null): boolean => {
  try {
    process.kill(pid ?? 0, 0)
    return true
  } catch {
    return false
  }
}

/** What every target must do; a router shows what clients notice of it. */
export function targetSuite(name: string, open: OpenPlatform, offers: Offers): void {
  const { runsProcesses, servesClients } = offers

  describe(name, () => {
    let platform: PlatformUnderTest
    beforeEach(async () => {
      platform = await open()
    })
    afterEach(() => platform[Symbol.asyncDispose]())

    it.runIf(offers.scales)('runs as many instances as are asked for, more and fewer', async () => {
      const shop = await TestService.declare(platform)
      await shop.run(releaseOf('r1'), 2)
      const two = await shop.instances()
      await shop.run(releaseOf('r1'), 3)
      await shop.ensure(releaseOf('r1'), 1)
      await until('one instance', async () => ((await shop.instances()).length === 1 ? true : undefined))
      expect(new Set(two.map(({ port }) => port)).size).toBe(2)
      expect(valueOf(await platform.target.observe(serviceName)).wanted).toEqual({ r1: 1 })
    })

    it('does what a key asks once', async () => {
      const shop = await TestService.declare(platform)
      const key = newKey()
      const request = { service: serviceName, release: releaseOf('r1'), instances: 1, key }
      valueOf(await platform.target.ensure(request))
      await shop.ensure(releaseOf('r1'), 2)
      valueOf(await platform.target.ensure(request))
      expect(valueOf(await platform.target.observe(serviceName)).wanted).toEqual({ r1: 2 })
    })

    it.runIf(runsProcesses)('starts an instance that ended again, and says why it was down', async () => {
      const shop = await TestService.declare(platform)
      await shop.run(releaseOf('r1'))
      valueOf(await shop.weigh({ r1: 100 }))
      await shop.get('/crash')
      const down = await until('the instance to be down', async () => {
        const [instance] = await shop.instances()
        return instance?.state === 'down' ? instance : undefined
      })
      expect(down.reason).toContain('code 3')
      const [again] = await shop.healthy('r1')
      expect(again?.restartCount).toBe(1)
      expect(await shop.get()).toBe('r1')
    })

    it.runIf(runsProcesses)('waits longer before each restart of an instance that ends at once', async () => {
      const shop = await TestService.declare(platform)
      await shop.ensure(releaseOf('r1', { MODE: 'crash-at-start' }))
      const waitOf = async (restarts: number): Promise<number> => {
        const reason = await until(`restart ${restarts}`, async () => {
          const [instance] = await shop.instances()
          return instance?.state === 'down' && instance.restartCount >= restarts ? instance.reason : undefined
        })
        return Number(/in ([\d.]+) s/.exec(reason)?.[1])
      }
      const first = await waitOf(0)
      expect(await waitOf(3)).toBeGreaterThan(first)
    })

    it.runIf(runsProcesses)(
      'marks an instance whose health check fails unhealthy, and healthy when it is well again',
      async () => {
        const shop = await TestService.declare(platform)
        await shop.ensure(releaseOf('r1', { MODE: 'never-healthy' }))
        const starting = await until('a reason', async () => {
          const [instance] = await shop.instances()
          return instance?.reason.includes('500') ? instance : undefined
        })
        expect(starting.state).toBe('starting')
      },
    )

    it.runIf(runsProcesses && servesClients)(
      'lets requests in flight end before an instance is stopped, and fails none',
      async () => {
        const shop = await TestService.declare(platform)
        await shop.run(releaseOf('r1'), 3)
        valueOf(await shop.weigh({ r1: 100 }))
        const pids = (await shop.instances()).map(({ pid }) => pid)
        const load = new Load(shop.address, 12, Infinity, '/?wait=50')
        await until('answers', () => (load.answered > 20 ? true : undefined))
        await shop.ensure(releaseOf('r1'), 1)
        await until('one instance', async () => ((await shop.instances()).length === 1 ? true : undefined))
        const { failures } = await load.stop()
        expect(failures).toEqual([])
        await until('two processes to end', () => (pids.filter(runs).length === 1 ? true : undefined))
      },
    )

    it.runIf(runsProcesses && servesClients)(
      'cuts what does not end within the drain time: what may be repeated goes to another instance, the rest gets 504',
      async () => {
        const shop = await TestService.declare(platform, { drainMs: 300 })
        await shop.run(releaseOf('r1'))
        await shop.run(releaseOf('r2'))
        valueOf(await shop.weigh({ r1: 100 }))
        const slow = ['POST', 'GET'].map((method) => fetch(`${shop.address}/slow?wait=3000`, { method }))
        await until('the requests to arrive', async () => {
          const [instance] = await shop.instances('r1')
          return instance?.inFlight === 2 ? true : undefined
        })
        valueOf(await shop.weigh({ r2: 100 }, 'r2'))
        await shop.remove('r1')
        const [once, repeated] = (await Promise.all(slow)) as [Response, Response]
        expect(once.status).toBe(504)
        expect(await repeated.text()).toBe('r2')
        await until('r1 to be gone', async () =>
          (await shop.instances('r1')).length === 0 ? true : undefined,
        )
      },
    )

    it('removes nothing that another request has asked for since', async () => {
      const shop = await TestService.declare(platform)
      await shop.run(releaseOf('r1'))
      const { askedBy } = valueOf(await platform.target.observe(serviceName))
      const late = { service: serviceName, releaseId: 'r1', askedBy: askedBy?.['r1'] ?? 'nobody' }
      await shop.remove('r1')
      await until('r1 to be gone', async () => ((await shop.instances('r1')).length === 0 ? true : undefined))
      await shop.run(releaseOf('r1'))
      valueOf(await platform.target.remove({ ...late, key: newKey() }))
      const report = valueOf(await platform.target.observe(serviceName))
      expect(report.wanted).toEqual({ r1: 1 })
      const now = report.askedBy?.['r1'] ?? 'nobody'
      valueOf(await platform.target.remove({ ...late, askedBy: now, key: newKey() }))
      expect(valueOf(await platform.target.observe(serviceName)).wanted).toEqual({})
    })

    it.runIf(runsProcesses)('kills an instance that does not heed SIGTERM within its grace', async () => {
      const shop = await TestService.declare(platform, { graceMs: 300 })
      await shop.run(releaseOf('r1', { MODE: 'stubborn' }))
      const [instance] = await shop.instances()
      await shop.remove('r1')
      await until('it to be gone', async () => ((await shop.instances()).length === 0 ? true : undefined))
      await until('its process to end', () => (runs(instance?.pid ?? null) ? undefined : true))
    })

    it.runIf(runsProcesses && servesClients)(
      'replaces an instance above its memory limit without a failed request',
      async () => {
        const shop = await TestService.declare(platform, { memoryLimitBytes: 150_000_000 })
        await shop.run(releaseOf('r1'))
        valueOf(await shop.weigh({ r1: 100 }))
        const [before] = await shop.instances()
        const load = new Load(shop.address, 4, Infinity, '/?wait=20')
        await shop.get('/grow?bytes=150000000')
        await until('another instance alone', async () => {
          const all = await shop.instances()
          return all.length === 1 && all[0]?.id !== before?.id && all[0]?.state === 'healthy'
            ? true
            : undefined
        })
        expect((await load.stop()).failures).toEqual([])
        const [after] = await shop.instances()
        expect(after?.restartCount).toBe(1)
        expect(after?.lastRestart?.reason).toContain('over its memory limit of 150 MB')
      },
    )

    it.runIf(runsProcesses && servesClients)(
      'lets what an instance that is over its limit again has begun come to its end',
      async () => {
        const shop = await TestService.declare(platform, { memoryLimitBytes: 150_000_000 })
        await shop.run(releaseOf('r1'))
        valueOf(await shop.weigh({ r1: 100 }))
        const [before] = await shop.instances()
        await shop.get('/grow?bytes=150000000')
        await until('its replacement', async () => {
          const all = await shop.instances()
          return all.length === 1 && all[0]?.id !== before?.id && all[0]?.state === 'healthy'
            ? true
            : undefined
        })
        const begun = fetch(`${shop.address}/grow?bytes=150000000`)
        const slow = fetch(`${shop.address}/slow?wait=3000`)
        await until('the restart', async () =>
          (await shop.instances())[0]?.reason.includes('2 times in a row') ? true : undefined,
        )
        expect([(await begun).status, (await slow).status]).toEqual([200, 200])
      },
    )

    it.runIf(runsProcesses && process.platform === 'linux')(
      'counts the memory of all processes of an instance, also against its limit',
      async () => {
        const shop = await TestService.declare(platform, { memoryLimitBytes: 200_000_000 })
        const release = releaseOf('r1')
        const [node = '', script = ''] = release.artifact.argv
        release.artifact.argv = ['sh', '-c', '"$0" "$1"; true', node, script]
        await shop.run(release)
        valueOf(await shop.weigh({ r1: 100 }))
        const measured = await until('its memory and CPU', async () => {
          const [instance] = await shop.instances()
          return typeof instance?.cpuCores === 'number' ? instance : undefined
        })
        expect(measured.memoryBytes).toBeGreaterThan(20_000_000)
        await shop.get('/grow?bytes=250000000')
        const reason = await until('its replacement', async () => {
          const all = await shop.instances()
          return all.length === 1 && all[0]?.id !== measured.id ? all[0]?.lastRestart?.reason : undefined
        })
        expect(reason).toContain('over its memory limit of 200 MB')
      },
    )

    it.runIf(runsProcesses)(
      'waits longer before each restart of an instance that is over its memory limit at once',
      async () => {
        const shop = await TestService.declare(platform, { memoryLimitBytes: 1_000_000 })
        await shop.ensure(releaseOf('r1'))
        const reason = await until('the third time in a row', async () => {
          const all = await shop.instances()
          return all.find((each) => /[3-9] times in a row; starts again/.test(each.reason))?.reason
        })
        expect(reason).toContain('over its memory limit of 1 MB')
        const { bins } = valueOf(await platform.router.bins(serviceName, null))
        const counted = await until('the kills in the counts', async () => {
          const page = valueOf(await platform.router.bins(serviceName, null))
          const oomKills = page.bins.reduce((sum, bin) => sum + bin.oomKills, 0)
          return oomKills >= 3 ? oomKills : undefined
        })
        expect(counted).toBeGreaterThanOrEqual(3)
        expect(bins.every(({ crashes, oomKills }) => crashes >= oomKills)).toBe(true)
      },
    )

    it.runIf(runsProcesses)('restarts hung instances one at a time, and counts them', async () => {
      const health = {
        path: '/health',
        intervalMs: 100,
        timeoutMs: 5000,
        rise: 1,
        fall: 1,
        restartAfterMs: 1000,
      }
      const shop = await TestService.declare(platform, { health, routing: { balancing: 'round_robin' } })
      await shop.run(releaseOf('r1'), 2)
      valueOf(await shop.weigh({ r1: 100 }))
      const before = await shop.instances()
      for (const { port } of before) await fetch(`http://127.0.0.1:${port}/sick`)
      let mostAtOnce = 0
      const after = await until('both to be healthy again', async () => {
        const all = await shop.instances()
        const away = all.filter(({ state }) => state === 'starting' || state === 'down')
        mostAtOnce = Math.max(mostAtOnce, away.length)
        const isDone = all.every(({ state, restartCount }) => state === 'healthy' && restartCount === 1)
        return isDone ? all : undefined
      })
      expect(mostAtOnce).toBe(1)
      expect(after.map(({ id }) => id).sort()).toEqual(before.map(({ id }) => id).sort())
      expect(after[0]?.lastRestart?.reason).toContain('hung: its health check answered 500')
      await until('the failed checks in the counts', async () => {
        const { bins } = valueOf(await platform.router.bins(serviceName, null))
        return bins.reduce((sum, bin) => sum + bin.healthFailures, 0) === 2 ? true : undefined
      })
    })

    it.runIf(runsProcesses && servesClients)(
      'restarts instances by hand one after the other without a failed request',
      async () => {
        const shop = await TestService.declare(platform)
        await shop.run(releaseOf('r1'), 2)
        valueOf(await shop.weigh({ r1: 100 }))
        const before = (await shop.instances()).map(({ id }) => id)
        const load = new Load(shop.address, 4, Infinity, '/?wait=20')
        const restart = (which: object) =>
          platform.target.restart({ service: serviceName, by: person('ann'), ...which })
        expect(valueOf(await restart({})).instanceIds.toSorted()).toEqual(before.toSorted())
        const after = await until('two new ones', async () => {
          const all = await shop.instances()
          const isDone =
            all.length === 2 && all.every(({ id, state }) => !before.includes(id) && state === 'healthy')
          return isDone ? all : undefined
        })
        expect((await load.stop()).failures).toEqual([])
        expect(after.map(({ lastRestart }) => [lastRestart?.reason, lastRestart?.isPlanned])).toEqual([
          ['restarted by ann', true],
          ['restarted by ann', true],
        ])
        const { bins } = valueOf(await platform.router.bins(serviceName, null))
        expect(bins.reduce((sum, { crashes, healthFailures }) => sum + crashes + healthFailures, 0)).toBe(0)
        expect(codeOf(await restart({ releaseId: 'r9' }))).toBe('NOT_FOUND')
      },
    )

    it.runIf(runsProcesses)(
      'goes on with a restart by hand after a kill -9 in the middle of it',
      async () => {
        const shop = await TestService.declare(platform)
        await shop.run(releaseOf('r1'), 3)
        valueOf(await shop.weigh({ r1: 100 }))
        const before = (await shop.instances()).map(({ id }) => id)
        valueOf(await platform.target.restart({ service: serviceName, by: person('ann') }))
        const left = async () => (await shop.instances()).filter(({ id }) => before.includes(id)).length
        await until('the first to have gone', async () => ((await left()) < 3 ? true : undefined))
        await platform.killAndRestart()
        const after = await until('three new ones', async () => {
          const all = await shop.instances()
          const isDone =
            all.length === 3 && all.every(({ id, state }) => !before.includes(id) && state === 'healthy')
          return isDone ? all : undefined
        })
        expect(after.map(({ lastRestart }) => lastRestart?.reason)).toEqual(
          Array.from({ length: 3 }, () => 'restarted by ann'),
        )
      },
    )

    it.runIf(runsProcesses)('shows what instances print, hostile text as it is, newest last', async () => {
      const shop = await TestService.declare(platform)
      await shop.run(releaseOf('r1'))
      valueOf(await shop.weigh({ r1: 100 }))
      await shop.get(`/say?text=${encodeURIComponent('<b>one</b>\u001b[31m')}`)
      await shop.get('/say?text=two')
      const lines = await until('both lines', async () => {
        const all = valueOf(await platform.target.logs({ service: serviceName, lines: 10 }))
        return all.length >= 4 ? all : undefined
      })
      const out = lines.filter(({ stream }) => stream === 'stdout').map(({ text }) => text)
      expect(out).toEqual(['<b>one</b>\u001b[31m', 'two'])
      expect(lines.filter(({ stream }) => stream === 'stderr').map(({ text }) => text)).toContain('error two')
      expect(valueOf(await platform.target.logs({ service: serviceName, lines: 1 }))).toHaveLength(1)
    })

    it.runIf(runsProcesses)(
      'takes its instances up again after a kill -9, those that ended meanwhile too',
      async () => {
        const shop = await TestService.declare(platform)
        await shop.run(releaseOf('r1'), 2)
        valueOf(await shop.weigh({ r1: 100 }))
        const before = await shop.instances()
        await platform.killAndRestart()
        expect(await shop.get()).toBe('r1')
        expect((await shop.instances()).map(({ id, pid }) => [id, pid]).sort()).toEqual(
          before.map(({ id, pid }) => [id, pid]).sort(),
        )
        process.kill(before[0]?.pid ?? 0, 'SIGKILL')
        const after = await until('another process', async () => {
          const all = await shop.instances()
          const isNew = all.every(({ pid }) => pid !== before[0]?.pid)
          return isNew && all.every(({ state }) => state === 'healthy') ? all : undefined
        })
        expect(after.map(({ id }) => id).sort()).toEqual(before.map(({ id }) => id).sort())
      },
    )

    it.runIf(runsProcesses).each(['', ' though it is killed over it'])(
      'withdraws a service: requests in flight end, then its instances%s',
      async (isKilled) => {
        const shop = await TestService.declare(platform, { graceMs: 3000 })
        await shop.run(releaseOf('r1', { MODE: isKilled ? 'stubborn' : '' }), 2)
        valueOf(await shop.weigh({ r1: 100 }))
        const before = await shop.instances()
        const slow = isKilled ? null : shop.get('/slow?wait=1500')
        if (slow)
          await until('a request in flight', async () =>
            (await shop.instances()).some(({ inFlight }) => inFlight > 0) ? true : undefined,
          )
        valueOf(await platform.router.withdraw(serviceName))
        valueOf(await platform.target.withdraw(serviceName))
        if (isKilled) await platform.killAndRestart()
        else await expect(slow).resolves.toBe('r1')
        await until('it is gone', async () =>
          codeOf(await platform.target.observe(serviceName)) === 'NOT_FOUND' ? true : undefined,
        )
        // Orphans of a killed platform may lie about as zombies, which run no more.
        expect(await Promise.all(before.map(({ pid }) => identityOf(pid ?? 0)))).toEqual([null, null])
        await expect(shop.get()).rejects.toThrow('fetch failed')
        valueOf(await platform.router.withdraw(serviceName))
        const again = await TestService.declare(platform)
        expect(await again.instances()).toEqual([])
      },
    )

    it.runIf(runsProcesses)(
      'runs a release in the directory of its service, and says so when that is gone',
      async () => {
        const workingDirectory = mkdtempSync(join(tmpdir(), 'pilothouse-project-'))
        writeFileSync(
          join(workingDirectory, 'server.mjs'),
          "import { createServer } from 'node:http'; createServer((_, response) => response.end(process.cwd())).listen(process.env.PORT, '127.0.0.1')",
        )
        const shop = await TestService.declare(platform, { workingDirectory })
        const release = releaseOf('r1')
        release.artifact.argv = [process.execPath, 'server.mjs']
        await shop.run(release)
        valueOf(await shop.weigh({ r1: 100 }))
        expect(await shop.get()).toBe(realpathSync(workingDirectory))
        rmSync(workingDirectory, { recursive: true })
        const [instance] = await shop.instances()
        process.kill(instance?.pid ?? 0, 'SIGKILL')
        const down = await until('a start without its directory', async () => {
          const [again] = await shop.instances()
          return again?.state === 'down' && again.reason.includes('directory') ? again : undefined
        })
        expect(down.reason).toContain(`working directory ${workingDirectory} does not exist`)
      },
    )

    it.runIf(runsProcesses)(
      'refuses a release that cannot run, and other content under a name that is taken',
      async () => {
        const shop = await TestService.declare(platform)
        const missing = releaseOf('r1')
        missing.artifact.argv = ['/no/such/command']
        const ensure = (release: typeof missing) =>
          platform.target.ensure({ service: serviceName, release, instances: 1, key: newKey() })
        expect(codeOf(await ensure(missing))).toBe('BAD_INPUT')
        expect(codeOf(await platform.target.observe('nobody'))).toBe('NOT_FOUND')
        await shop.run(releaseOf('r1'))
        expect(codeOf(await ensure(releaseOf('r1', { MODE: 'stubborn' })))).toBe('BAD_INPUT')
      },
    )
  })
}
