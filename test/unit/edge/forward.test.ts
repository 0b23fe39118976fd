import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool } from 'undici'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { guardsSchema } from '../../../src/contract/index.ts'
import { BinLog } from '../../../src/edge/counts/index.ts'
import { Gate } from '../../../src/edge/guards/gate.ts'
import { limitsSchema } from '../../../src/edge/limits.ts'
import { Exchange, type Forwarding } from '../../../src/edge/proxy/forward.ts'
import type { Instance } from '../../../src/edge/supervisor/instance.ts'
import { seededRng } from '../../../src/engine/core/index.ts'
import { VirtualClock } from '../../support/clock.ts'

const instanceWith = (id: string, pool: Pool) =>
  ({ id, releaseId: 'r1', pool, begin: () => undefined, end: () => undefined }) as unknown as Instance

describe('a request on its way to an instance', () => {
  const clock = new VirtualClock()
  const bins = new BinLog(clock, 'boot')
  const told: boolean[] = []
  let held: AsyncDisposableStack
  beforeEach(() => {
    held = new AsyncDisposableStack()
  })
  afterEach(() => held.disposeAsync())

  async function listening(server: Server): Promise<string> {
    server.listen(0, '127.0.0.1')
    held.defer(() => void server.close())
    await once(server, 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  /** The address of a proxy that sends to `first`, and to `next` what is sent again. */
  const proxying = (first: Instance, next: Instance | null) => {
    const forwarding = {
      router: { reroute: () => next },
      fleet: { record5xx: (_: Instance, isFailure: boolean) => void told.push(isFailure) },
      gate: new Gate(clock, seededRng(1), guardsSchema.parse({})),
      bins,
      limits: limitsSchema.parse({}),
    } as unknown as Forwarding
    return listening(
      createServer((request, response) => {
        const origin = { peer: '127.0.0.1', isTrusted: false, client: '127.0.0.1' }
        new Exchange(forwarding, request, response, { path: '/', host: 'a' }, origin, first, null).send()
      }),
    )
  }

  it('goes to another one, its body whole, when the process ends that it waits to be connected to', async () => {
    const waiting = Promise.withResolvers<void>()
    const ending = new Pool('http://127.0.0.1:1', { connect: () => waiting.resolve() })
    const other = new Pool(
      await listening(
        createServer((request, response) => {
          request.pipe(response)
        }),
      ),
    )
    held.defer(() => other.destroy())
    const address = await proxying(instanceWith('a', ending), instanceWith('b', other))
    const answer = fetch(address, { method: 'POST', body: 'an order' })
    await waiting.promise
    await ending.destroy()
    const { status } = await answer
    expect([status, await (await answer).text()]).toEqual([200, 'an order'])
  })

  it('is refused, and held against no instance and no release, when this machine has no connection left', async () => {
    told.length = 0
    bins.close([])
    const pool = new Pool('http://127.0.0.1:1', {
      connect: (_, callback) =>
        callback(Object.assign(new Error('connect EMFILE'), { code: 'EMFILE' }), null),
    })
    held.defer(() => pool.destroy())
    const answer = await fetch(await proxying(instanceWith('a', pool), null))
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
    bins.close([])
    expect(bins.since(null).bins.at(-1)).toMatchObject({ requests: 1, errors: 0 })
    expect(told).toEqual([])
  })
})
