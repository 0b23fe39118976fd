import type { Server } from 'node:http'

/** Between two looks for connections without a request. */
const sweepEveryMs = 20

/**
 * Takes no new connections; requests in progress may end within `withinMs`, then they are cut off. A kept connection
 * whose last request has ended is not waited for: it would stay idle as long as its other end likes.
 */
export async function closeServer(server: Server, withinMs: number): Promise<void> {
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  server.closeIdleConnections()
  const sweep = setInterval(() => server.closeIdleConnections(), sweepEveryMs)
  const cut = setTimeout(() => server.closeAllConnections(), withinMs)
  await closed
  clearInterval(sweep)
  clearTimeout(cut)
}
