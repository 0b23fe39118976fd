import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { AppError } from '../../base/index.ts'
import { systemClock } from '../../adapters/system/index.ts'
import { edgeClient, edgeDirectory, stopEdge } from '../edge/index.ts'
import { runningServer } from '../server-file.ts'
import { demoConfig, demoHeader, demoServices, type DemoService } from './demo-config.ts'
import { shopProgram } from './shop-program.ts'

export interface DemoPlace {
  directory: string
  configFile: string
  ports: Record<DemoService, number>
}

/**
 * An empty directory of the demo with its config, after whatever an earlier one left running was ended. Throws
 * CONFLICT when a demo runs there now, or the directory holds something else.
 */
export async function prepareDemo(directory: string): Promise<DemoPlace> {
  const running = await runningServer(directory)
  if (running)
    throw new AppError('CONFLICT', `A demo is already running on ${directory} (process ${running.pid}).`)
  const configFile = join(directory, 'pilothouse.yaml')
  const written = await readFile(configFile, 'utf8').catch((failure: unknown) => {
    if ((failure as NodeJS.ErrnoException).code !== 'ENOENT') throw failure
    return null
  })
  if (written !== null && !written.startsWith(demoHeader))
    throw new AppError('CONFLICT', `${configFile} was not written by the demo, so it was not changed.`)
  await endEdge(directory)
  if (written !== null) await rm(directory, { recursive: true, force: true })
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const ports = await freePorts()
  const text = demoConfig({ program: [process.execPath, shopProgram()], ports })
  await writeFile(configFile, text, { mode: 0o600 })
  return { directory, configFile, ports }
}

/** Longest wait for an edge to end: its instances have a grace of 5 s each, all at once. */
const endWithinMs = 20_000

/** Ends the edge of a demo and all that it runs, if there is one. Throws TIMEOUT when its process does not end. */
export async function endEdge(directory: string): Promise<void> {
  const edge = edgeDirectory(directory)
  await using client = edgeClient(edge)
  const stopped = await stopEdge(client, {
    directory: edge,
    clock: systemClock(),
    withInstances: true,
    withinMs: endWithinMs,
  })
  if (!stopped.ok && stopped.error.code === 'TIMEOUT') throw stopped.error
}

/** A free port each, held together until all are known, so that they differ. */
async function freePorts(): Promise<Record<DemoService, number>> {
  const servers = await Promise.all(demoServices.map(listening))
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return Object.fromEntries(demoServices.map((service, k) => [service, ports[k]])) as Record<
    DemoService,
    number
  >
}

const listening = (): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve(server))
  })
