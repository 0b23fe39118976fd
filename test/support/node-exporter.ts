import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'

export interface Exporter extends AsyncDisposable {
  readonly pid: number
  scrape(): Promise<Scrape>
}

/** One answer in the text format. */
class Scrape {
  readonly #lines: string[]

  constructor(text: string) {
    this.#lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  }

  get seriesCount(): number {
    return this.#lines.length
  }

  /** The sum of the series whose line begins like this. */
  sum(metric: RegExp): number {
    return this.#lines
      .filter((line) => metric.test(line))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
  }
}

/** Prometheus' node_exporter (the program at `path`) on a free loopback port; with its default collectors when there are no flags. */
export async function startExporter(path: string, flags: readonly string[] = []): Promise<Exporter> {
  const address = `127.0.0.1:${await freePort()}`
  const child = spawn(path, [`--web.listen-address=${address}`, ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await listening(child, address)
  return {
    pid: child.pid!,
    scrape: async () => new Scrape(await (await fetch(`http://${address}/metrics`)).text()),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}

async function listening(child: ChildProcess, address: string): Promise<void> {
  for await (const line of createInterface(child.stderr!)) if (line.includes(address)) break
  if (child.exitCode !== null) throw new Error(`node_exporter ended with code ${child.exitCode}`)
  child.stderr!.resume()
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
