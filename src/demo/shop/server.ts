import { createServer, type Server } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import type { Handle } from './services.ts'
import type { Traits } from './traits.ts'

export interface ShopServerOptions {
  handle: Handle
  traits: Traits
  port: number
  /** Uniform in [0, 1). */
  random: () => number
}

/** Median of what an answer takes without any trait, ms; a tenth of them takes about twice as long. */
const workMs = 6

/** Serves one service of the shop on loopback, `/health` included, with the faults of its release. */
export function startShopServer({ handle, traits, port, random }: ShopServerOptions): Promise<Server> {
  const startedAtMs = performance.now()
  const leaked: Buffer[] = []
  const isReady = () => !traits.neverHealthy && performance.now() - startedAtMs >= traits.readyAfterMs
  const server = createServer((request, response) => {
    const send = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(body))
    }
    const url = new URL(request.url ?? '/', 'http://shop')
    request.resume()
    if (!isReady()) return send(503, { error: 'not ready' })
    if (url.pathname === '/health') return send(200, { status: 'well' })
    const answer = async () => {
      // Filled, so that the kernel really hands out the pages.
      if (traits.leakBytes > 0) leaked.push(Buffer.alloc(traits.leakBytes, 1))
      const isSlow = random() < traits.slowShare
      await wait(workMs * 2 ** (random() + random() - 1) + (isSlow ? traits.slowMs : 0))
      if (random() < traits.failShare) throw new Error('the release is faulty')
      return handle(request.method ?? 'GET', url)
    }
    answer().then(
      ({ status, body }) => send(status, body),
      (failure: unknown) => {
        process.stderr.write(`${request.method} ${url.pathname} failed: ${String(failure)}\n`)
        send(500, { error: 'failed' })
      },
    )
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}
