import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { edgeProcedures, serviceDefinitionSchema } from '../../../../src/contract/index.ts'
import { EdgeClient, edgePlatform } from '../../../../src/adapters/platforms/edge/index.ts'

describe.skipIf(process.platform === 'win32')('the embedded platform, towards its edge', () => {
  let directory: string
  let server: Server
  let answer: unknown
  let bodies: string[]

  beforeEach(async () => {
    bodies = []
    directory = await mkdtemp(join(tmpdir(), 'ph-edge-target-'))
    server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        bodies.push(body)
        response.writeHead(200).end(JSON.stringify(answer))
      })
    })
    await new Promise<void>((resolve) => server.listen(join(directory, 's'), resolve))
  })
  afterEach(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await rm(directory, { recursive: true, force: true })
  })

  const observed = async () => {
    await using client = new EdgeClient({ socketPath: join(directory, 's') })
    return await edgePlatform(client).target.observe('shop')
  }

  /** As edges send it since their first version. */
  const sent = {
    id: 'r1-0',
    releaseId: 'r1',
    state: 'healthy',
    reason: '',
    pid: 4711,
    port: 41001,
    startedAtMs: 1,
    restartCount: 0,
    inFlight: 2,
    memoryBytes: null,
  }

  it('reports an instance as a process that is reached at a port of this host', async () => {
    answer = { instances: [sent, { ...sent, id: 'r1-1', state: 'down', pid: null }], wanted: { r1: 2 } }
    const report = await observed()
    if (!report.ok) throw report.error
    const { pid: _, port: __, ...rest } = sent
    expect(report.value.instances).toEqual([
      { ...rest, lastRestart: null, address: { kind: 'process', port: 41001, pid: 4711 } },
      {
        ...rest,
        id: 'r1-1',
        state: 'down',
        lastRestart: null,
        address: { kind: 'process', port: 41001, pid: null },
      },
    ])
  })

  it('declares a service as edges of earlier versions take it: they refuse keys that they do not know', async () => {
    answer = { address: 'http://127.0.0.1:1' }
    const definition = serviceDefinitionSchema.parse({ name: 'shop', listen: {} })
    await using client = new EdgeClient({ socketPath: join(directory, 's') })
    const { target, router } = edgePlatform(client)
    expect(await target.declare(definition)).toMatchObject({ ok: true })
    expect(await router.declare(definition)).toMatchObject({ ok: true })
    const { platform: _, ...earlier } = definition
    expect(bodies.map((body) => JSON.parse(body) as unknown)).toEqual([
      { definition: earlier },
      { definition: earlier },
    ])
    expect(edgeProcedures.declare.input.safeParse({ definition }).success).toBe(false)
  })

  it('reports no instance whose port is missing: no address is made up', async () => {
    const { port: _, ...broken } = sent
    answer = { instances: [broken], wanted: { r1: 1 } }
    expect(await observed()).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE' } })
  })
})
