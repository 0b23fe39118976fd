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

/** A port of the loopback that nobody listened on a moment ago. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
