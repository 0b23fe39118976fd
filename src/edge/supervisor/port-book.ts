import { createServer, type AddressInfo } from 'node:net'

/** Most attempts to find a port that no instance has. */
const maxTries = 100

/**
 * The ports of all instances of one edge. An instance starts to listen some time after it gets its port. Until then
 * the system could give the same port to the next instance, and requests for one would reach the other.
 */
export class PortBook {
  readonly #find: () => Promise<number>
  readonly #given = new Set<number>()

  constructor(find: () => Promise<number> = freePort) {
    this.#find = find
  }

  /** Reserves a loopback port that nobody listens on and no other instance has. */
  async take(): Promise<number> {
    for (let tries = 0; tries < maxTries; tries++) {
      const port = await this.#find()
      if (this.#given.has(port)) continue
      this.#given.add(port)
      return port
    }
    throw new Error('there is no free port')
  }

  /** Records a port that an instance has from an earlier edge. */
  note(port: number): void {
    this.#given.add(port)
  }

  giveBack(port: number): void {
    this.#given.delete(port)
  }
}

/** A port that was free a moment ago at both loopback addresses, because an instance may listen on either. */
async function freePort(): Promise<number> {
  for (let tries = 0; tries < maxTries; tries++) {
    const port = await listensAt('127.0.0.1', 0)
    if (port !== null && (await listensAt('::1', port)) !== null) return port
  }
  throw new Error('there is no free port')
}

/** The port, if it could be opened; null when it is taken. On a machine without that address nobody has it. */
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
