import { once } from 'node:events'
import { Agent } from 'node:http'
import WebSocket from 'ws'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { latencyBoundsMs } from '../../src/contract/index.ts'
import { ask, Load } from '../support/load.ts'
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

/** What every router must do, with a target that runs its instances. */
export function routerSuite(name: string, open: OpenPlatform, offers: Offers): void {
  const { servesClients } = offers

  describe(name, () => {
    let platform: PlatformUnderTest
    beforeEach(async () => {
      platform = await open()
    })
    afterEach(() => platform[Symbol.asyncDispose]())

    /** Two releases, both healthy, all traffic on r1. */
    async function twoReleases(changes: Record<string, unknown> = {}): Promise<TestService> {
      const shop = await TestService.declare(platform, changes)
      await shop.ensure(releaseOf('r1'))
      await shop.run(releaseOf('r2'))
      await shop.healthy('r1')
      valueOf(await shop.weigh({ r1: 100 }))
      return shop
    }

    it.runIf(servesClients).each([
      ['30 to 70', { r1: 70, r2: 30 }],
      ['5 to 95', { r1: 95, r2: 5 }],
      ['a share with a fraction', { r1: 87.5, r2: 12.5 }],
    ])('splits 10,000 requests %s within one point', async (_, weights) => {
      const shop = await twoReleases()
      valueOf(await shop.weigh(weights))
      const { answers, failures } = await new Load(shop.address, 20, 10_000).finish()
      expect(failures).toEqual([])
      for (const [id, weight] of Object.entries(weights))
        expect(Math.abs((answers.get(id) ?? 0) / 100 - weight)).toBeLessThan(1)
    })

    it.runIf(servesClients && offers.verifiesWeights)(
      'sends not one request more to a release once the call that took its share has resolved',
      async () => {
        const shop = await twoReleases()
        const agent = new Agent({ keepAlive: true, maxSockets: 1 })
        for (let i = 0; i < 5; i++) {
          valueOf(await shop.weigh({ r2: 100 }))
          for (let j = 0; j < 20; j++) expect((await ask(shop.address, agent)).text).toBe('r2')
          valueOf(await shop.weigh({ r1: 100 }))
          for (let j = 0; j < 20; j++) expect((await ask(shop.address, agent)).text).toBe('r1')
        }
        agent.destroy()
      },
    )

    it.runIf(servesClients && offers.keepsConnections)(
      'flips under load without a failed request',
      async () => {
        const shop = await twoReleases()
        const load = new Load(shop.address, 16)
        for (let i = 0; i < 20; i++) {
          const before = load.answered
          valueOf(await shop.weigh(i % 2 === 0 ? { r2: 100 } : { r1: 100 }))
          await until('more answers', () => (load.answered > before + 20 ? true : undefined))
        }
        const { answers, failures } = await load.stop()
        expect(failures).toEqual([])
        expect([...answers.keys()].sort()).toEqual(['r1', 'r2'])
      },
    )

    it.runIf(servesClients && offers.keepsConnections)(
      'lets a request in flight end on the release that has it when the traffic moves away',
      async () => {
        const shop = await twoReleases()
        const slow = shop.get('/slow?wait=1500')
        await until('the request to arrive', async () => {
          const [instance] = await shop.instances('r1')
          return instance?.inFlight === 1 ? true : undefined
        })
        valueOf(await shop.weigh({ r2: 100 }))
        expect(await shop.get()).toBe('r2')
        expect(await slow).toBe('r1')
      },
    )

    it.runIf(servesClients && offers.webSockets)(
      'joins both sides of a WebSocket, and hands back a refused handshake',
      async () => {
        const shop = await twoReleases()
        const socket = new WebSocket(shop.address.replace('http', 'ws'))
        await once(socket, 'open')
        valueOf(await shop.weigh({ r2: 100 }))
        const answer = once(socket, 'message')
        socket.send('are you there?')
        expect(String((await answer)[0])).toBe('are you there?')
        socket.close()
        const refused = new WebSocket(`${shop.address.replace('http', 'ws')}/no`)
        const [failure] = (await once(refused, 'error')) as [Error]
        expect(failure.message).toContain('403')
      },
    )

    it('refuses a share for a release without a healthy instance, and moves nothing', async () => {
      const shop = await twoReleases()
      await shop.ensure(releaseOf('r3', { MODE: 'never-healthy' }))
      const before = await shop.report()
      expect(codeOf(await shop.weigh({ r1: 90, r3: 10 }))).toBe('NO_HEALTHY_INSTANCE')
      expect(codeOf(await shop.weigh({ r1: 90, unknown: 10 }))).toBe('NO_HEALTHY_INSTANCE')
      expect(await shop.report()).toEqual(before)
    })

    it.runIf(offers.verifiesWeights)(
      'lets one of two writers win and tells the other that it was late',
      async () => {
        const shop = await twoReleases()
        const { revision } = await shop.report()
        const write = (share: number) =>
          platform.router.set({
            service: serviceName,
            weights: { r1: 100 - share, r2: share },
            fallbackReleaseId: 'r1',
            expectedRevision: revision,
            key: newKey(),
            endsEmergency: false,
          })
        const codes = (await Promise.all([write(10), write(20)])).map(codeOf)
        expect(codes.sort()).toEqual(['CONFLICT', null])
        expect((await shop.report()).revision).toBe(revision + 1)
      },
    )

    it('does a change once however often its key comes', async () => {
      const shop = await twoReleases()
      const { revision } = await shop.report()
      const request = {
        service: serviceName,
        weights: { r1: 90, r2: 10 },
        fallbackReleaseId: 'r1',
        expectedRevision: revision,
        key: newKey(),
        endsEmergency: false,
      }
      const first = valueOf(await platform.router.set(request))
      expect(valueOf(await platform.router.set(request))).toEqual(first)
      valueOf(await shop.weigh({ r1: 100 }))
      expect(valueOf(await platform.router.set(request)).weights).toEqual({ r1: 100 })
    })

    it('moves everything to the fallback in an emergency, whatever the revision, and bars automation', async () => {
      const shop = await twoReleases()
      valueOf(await shop.weigh({ r1: 50, r2: 50 }))
      const key = newKey()
      const orders = [
        { service: 'nobody', key },
        { service: serviceName, key },
      ]
      const [missing, moved] = await platform.router.emergency(orders)
      expect(missing && codeOf(missing)).toBe('NOT_FOUND')
      expect(moved && valueOf(moved)).toMatchObject({ weights: { r1: 100 }, emergency: { key } })
      if (servesClients) for (let i = 0; i < 50; i++) expect(await shop.get()).toBe('r1')
      expect(codeOf(await shop.weigh({ r1: 90, r2: 10 }))).toBe('CONFLICT')
      const { revision } = await shop.report()
      await platform.router.emergency(orders)
      expect((await shop.report()).revision).toBe(revision)
      expect(valueOf(await shop.weigh({ r1: 90, r2: 10 }, 'r1', true))).toMatchObject({ emergency: null })
    })

    it.runIf(servesClients && offers.routesByHeader)(
      'sends requests to the candidate that ask for it by header or cookie',
      async () => {
        const shop = await twoReleases({
          routing: {
            candidateHeader: { name: 'X-Canary', value: 'yes' },
            candidateCookie: { name: 'canary', value: '1' },
          },
        })
        expect(await shop.get('/', { 'x-canary': 'yes' })).toBe('r2')
        expect(await shop.get('/', { cookie: 'a=b; canary=1' })).toBe('r2')
        expect(await shop.get('/', { 'x-canary': 'no', cookie: 'canary=0' })).toBe('r1')
      },
    )

    it.runIf(servesClients && offers.routesByHeader)(
      'keeps a client with its release as far as the weights allow',
      async () => {
        const shop = await twoReleases({ routing: { isSticky: true } })
        valueOf(await shop.weigh({ r1: 50, r2: 50 }))
        const agent = new Agent({ keepAlive: true })
        const clients = []
        for (let i = 0; i < 40; i++) {
          const { text, setCookie } = await ask(shop.address, agent)
          clients.push({ text, cookie: setCookie[0]?.split(';')[0] ?? '' })
        }
        const again = async ({ cookie }: { cookie: string }) =>
          (await ask(shop.address, agent, '/', { cookie })).text
        for (const client of clients) expect(await again(client)).toBe(client.text)
        valueOf(await shop.weigh({ r1: 25, r2: 75 }))
        for (const client of clients.filter(({ text }) => text === 'r2'))
          expect(await again(client)).toBe('r2')
        valueOf(await shop.weigh({ r1: 100 }))
        for (const client of clients) expect(await again(client)).toBe('r1')
        agent.destroy()
      },
    )

    it.runIf(servesClients && offers.countsRequests)(
      'counts attempts, failures and latencies of each release',
      async () => {
        const shop = await twoReleases()
        valueOf(await shop.weigh({ r1: 50, r2: 50 }))
        for (let i = 0; i < 30; i++) await shop.get()
        for (let i = 0; i < 10; i++) await shop.get('/fail')
        const seen = {
          r1: { requests: 0, errors: 0, latencies: 0 },
          r2: { requests: 0, errors: 0, latencies: 0 },
        }
        let begun = 0
        let cursor: string | null = null
        await until('all requests to be counted', async () => {
          const page = valueOf(await platform.router.bins(serviceName, cursor))
          cursor = page.cursor
          for (const bin of page.bins) {
            expect(bin.latencyCounts).toHaveLength(latencyBoundsMs.length + 1)
            const sum = seen[bin.releaseId as 'r1' | 'r2']
            sum.requests += bin.requests
            sum.errors += bin.errors
            begun += bin.begun
            sum.latencies += bin.latencyCounts.reduce((total, count) => total + count, 0)
          }
          return seen.r1.requests + seen.r2.requests >= 40 ? true : undefined
        })
        expect(seen.r1.requests + seen.r2.requests).toBe(40)
        expect(seen.r1.errors + seen.r2.errors).toBe(10)
        expect(begun).toBe(40)
        // What was answered without an error.
        expect(seen.r1.latencies + seen.r2.latencies).toBe(30)
      },
    )

    it.runIf(servesClients && offers.countsRequests)(
      'shows a request that hangs in the bins while it hangs',
      async () => {
        const shop = await twoReleases()
        const slow = shop.get('/slow?wait=2500')
        await until('the request to show', async () => {
          const { bins } = valueOf(await platform.router.bins(serviceName, null))
          return (
            bins.some(({ inFlight, oldestInFlightMs }) => inFlight === 1 && oldestInFlightMs > 500) ||
            undefined
          )
        })
        await slow
      },
    )

    it.runIf(servesClients)('answers 503 with Retry-After when no instance is healthy', async () => {
      const shop = await twoReleases()
      await shop.get('/sick')
      await until('r1 to be unhealthy', async () => {
        const [instance] = await shop.instances('r1')
        return instance?.state === 'unhealthy' ? true : undefined
      })
      const response = await fetch(shop.address)
      expect(response.status).toBe(503)
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
    })

    it.runIf(servesClients && offers.countsRequests)(
      'keeps weights, revision, emergency and cursors over a kill -9',
      async () => {
        const shop = await twoReleases()
        valueOf(await shop.weigh({ r1: 60, r2: 40 }))
        const before = await shop.report()
        const { cursor } = valueOf(await platform.router.bins(serviceName, null))
        await platform.killAndRestart()
        expect(await shop.report()).toEqual(before)
        const { answers, failures } = await new Load(shop.address, 10, 1000).finish()
        expect(failures).toEqual([])
        expect(Math.abs((answers.get('r2') ?? 0) - 400)).toBeLessThan(20)
        const counted = await until('requests after the restart to be counted', async () => {
          const page = valueOf(await platform.router.bins(serviceName, cursor))
          const requests = page.bins.reduce((sum, bin) => sum + bin.requests, 0)
          return requests >= 1000 ? requests : undefined
        })
        expect(counted).toBe(1000)
        await platform.router.emergency([{ service: serviceName, key: 'the-emergency' }])
        await platform.killAndRestart()
        expect(await shop.report()).toMatchObject({
          weights: { r1: 100 },
          emergency: { key: 'the-emergency' },
        })
      },
    )

    it('says that nobody knows a service that was not declared', async () => {
      expect(codeOf(await platform.router.read('nobody'))).toBe('NOT_FOUND')
      expect(codeOf(await platform.router.bins('nobody', null))).toBe('NOT_FOUND')
    })
  })
}
