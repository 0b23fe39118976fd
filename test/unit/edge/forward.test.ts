import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool } from 'undici'
import { afterEach, describe, expect, it } from 'vitest'
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

describe('a request for an instance whose process ends', () => {
  const held = new AsyncDisposableStack()
  afterEach(() => held.disposeAsync())

  async function listening(server: Server): Promise<string> {
    server.listen(0, '127.0.0.1')
    held.defer(() => void server.close())
    await once(server, 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  it('goes to another one, its body whole, when it was still waiting for its connection', async () => {
    const clock = new VirtualClock()
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
    const next = instanceWith('b', other)
    const forwarding = {
      router: { reroute: () => next },
      fleet: { record5xx: () => undefined },
      gate: new Gate(clock, seededRng(1), guardsSchema.parse({})),
      bins: new BinLog(clock, 'boot'),
      limits: limitsSchema.parse({}),
    } as unknown as Forwarding
    const address = await listening(
      createServer((request, response) => {
        const origin = { peer: '127.0.0.1', isTrusted: false, client: '127.0.0.1' }
        const to = { path: '/', host: 'a' }
        const first = instanceWith('a', ending)
        new Exchange(forwarding, request, response, to, origin, first, null).send()
      }),
    )
    const answer = fetch(address, { method: 'POST', body: 'an order' })
    await waiting.promise
    await ending.destroy()
    const { status } = await answer
    expect([status, await (await answer).text()]).toEqual([200, 'an order'])
  })
})
