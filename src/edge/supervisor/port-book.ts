import { createServer, type AddressInfo } from 'node:net'

/** More finds than this in a row are never somebody's already. */
const maxTries = 100

/**
 * The ports of all instances of one edge. An instance listens on its own some time after it was given it: until then
 * the system would give it to the next one, too, and requests for the one would be answered by the other.
 */
export class PortBook {
  readonly #find: () => Promise<number>
  readonly #given = new Set<number>()

  constructor(find: () => Promise<number> = freePort) {
    this.#find = find
  }

  /** A port of the loopback that nobody listens on and no other instance was given. */
  async take(): Promise<number> {
    for (let tries = 0; tries < maxTries; tries++) {
      const port = await this.#find()
      if (this.#given.has(port)) continue
      this.#given.add(port)
      return port
    }
    throw new Error('there is no free port')
  }

  /** An instance has this port from an edge before this one. */
  note(port: number): void {
    this.#given.add(port)
  }

  giveBack(port: number): void {
    this.#given.delete(port)
  }
}

/** A port that nobody listened on a moment ago, at either loopback address: an instance may listen on one of them. */
async function freePort(): Promise<number> {
  for (let tries = 0; tries < maxTries; tries++) {
    const port = await listensAt('127.0.0.1', 0)
    if (port !== null && (await listensAt('::1', port)) !== null) return port
  }
  throw new Error('there is no free port')
}

/** The port that could be listened on; null when it is taken. A machine without that address has nobody on it. */
function listensAt(host: string, port: number): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (failure: NodeJS.ErrnoException) => {
      if (failure.code === 'EADDRINUSE') resolve(null)
      else if (port !== 0) resolve(port)
      else reject(failure)
    })
    server.listen(port, host, () => {
      const { port: bound } = server.address() as AddressInfo
      server.close(() => resolve(bound))
    })
  })
}
