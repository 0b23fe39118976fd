import { person } from '../../support/person.ts'
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { localOperatorIn, type EdgeReport, type RollbackOutcome } from '../../../src/contract/index.ts'
import { runCli } from '../../../src/hosts/cli/program.ts'
import { announceServer } from '../../../src/hosts/server-file.ts'

const cli = fileURLToPath(new URL('../../../src/hosts/cli/start.ts', import.meta.url))

let directory: string
let data: string
const servers: Server[] = []
/** What the edge was ordered, service by service. */
let orders: string[]
let keys: string[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ph-rb-'))
  data = join(directory, 'data')
  await mkdir(join(data, 'edge'), { recursive: true, mode: 0o700 })
  orders = []
  keys = []
})
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  await rm(directory, { recursive: true, force: true })
})

type Answer = (request: IncomingMessage, reply: ServerResponse) => void
const listening = async (answer: Answer, place: string | number) => {
  const server = createServer(answer)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(place, () => resolve()))
  return server
}
const json =
  (status: number, value: unknown): Answer =>
  (_request, reply) =>
    void reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))

/** An edge that runs shop (r1 stable, r2 with half of the traffic) and cart (at rest on r1). */
async function edge(): Promise<void> {
  const split: Record<string, EdgeReport> = {
    shop: { weights: { r1: 50, r2: 50 }, fallbackReleaseId: 'r1', revision: 1, key: '', emergency: null },
    cart: { weights: { r1: 100 }, fallbackReleaseId: 'r1', revision: 1, key: '', emergency: null },
  }
  const answers: Record<string, (input: never) => unknown> = {
    status: () => ({
      version: '0',
      pid: 1,
      startedAtMs: 0,
      services: Object.keys(split).map((name) => ({ name, address: '', instances: 1 })),
    }),
    weights: ({ service }: { service: string }) => split[service] ?? 'unknown',
    observe: () => ({ instances: [], wanted: { r1: 1 } }),
    emergency: (input: { orders: { service: string; key: string }[] }) => {
      orders.push(...input.orders.map(({ service }) => service))
      keys.push(...input.orders.map(({ key }) => key))
      return input.orders.map(({ service }) => ({
        ok: true,
        value: { ...split[service], weights: { r1: 100 } },
        isKept: true,
      }))
    },
  }
  await listening(
    (request, reply) => {
      let text = ''
      request.on('data', (chunk: Buffer) => (text += chunk.toString()))
      request.on('end', () => {
        const answer = answers[request.url?.split('/').at(-1) ?? '']
        const value = answer?.(JSON.parse(text) as never)
        if (value === 'unknown') json(404, { code: 'NOT_FOUND', message: 'No such service' })(request, reply)
        else json(200, value)(request, reply)
      })
    },
    join(data, 'edge', 'edge.sock'),
  )
}

/** Something that stands where the engine of this data directory should be. */
async function engine(answer: Answer): Promise<void> {
  const server = await listening(answer, 0)
  const { port } = server.address() as AddressInfo
  await announced(port)
}
const announced = (port: number) => announceServer(data, { url: `http://127.0.0.1:${port}`, token: 't' })

async function run(args: string[], variables: Record<string, string> = {}) {
  const text = { stdout: '', stderr: '' }
  const to = (stream: 'stdout' | 'stderr') => ({
    write: (written: string) => void (text[stream] += written),
    isClosed: () => false,
    isTerminal: false,
    width: Infinity,
    isColoured: false,
    style: (_format: string, written: string) => written,
  })
  const code = await runCli(args, {
    out: to('stdout'),
    err: to('stderr'),
    system: { platform: process.platform, variables, home: directory, workingDirectory: directory },
    bundle: { screens: 'none' },
    person: { isThere: false, ask: () => Promise.resolve('') },
  })
  return { code, ...text }
}

const outcome = (change: Partial<RollbackOutcome>): RollbackOutcome => ({
  service: 'shop',
  ok: false,
  releaseId: null,
  fromReleaseId: null,
  tookMs: 3,
  text: 'as the engine says',
  ...change,
})

const unconfirmed: Record<string, Answer> = {
  'refuses for too many requests': json(429, { code: 'RATE_LIMITED', message: 'Too many requests' }),
  fails: json(500, { code: 'INTERNAL', message: 'A defect' }),
  'is behind a proxy that has lost it': json(502, {}),
  'does not know the token': json(401, { code: 'UNAUTHENTICATED', message: 'No valid access token' }),
  'does not know the procedure': json(404, { code: 'NOT_FOUND', message: 'There is no procedure' }),
  'answers a page': (_request, reply) => void reply.end('<!doctype html>'),
  'answers something else': json(200, { rolledBack: true }),
  'says nothing of the service': json(200, []),
  'breaks off': (request) => request.socket.destroy(),
  hangs: () => undefined,
  'could not move traffic': json(200, [outcome({ code: 'UNAVAILABLE' })]),
  'refuses as older versions do, without a code': json(200, [outcome({})]),
}

describe('pilothouse rollback goes to the edge itself', () => {
  it.each(Object.entries(unconfirmed))('when the engine %s', async (_, answer) => {
    await edge()
    await engine(answer)
    const { code, stdout, stderr } = await run(['rollback', 'shop', '--data-dir', data])
    expect(stdout).toMatch(/^ok +shop .* All traffic of shop goes to r1, verified\n$/)
    expect(stderr).toContain('The rollback was sent to the edge directly')
    expect(code).toBe(0)
    expect(orders).toEqual(['shop'])
  })

  it('when nothing listens at the address of the engine, or no engine is running', async () => {
    await edge()
    await announced(9)
    expect((await run(['rollback', 'shop', '--data-dir', data])).code).toBe(0)
    await rm(join(data, 'server.json'))
    expect((await run(['rollback', 'shop', '--data-dir', data])).code).toBe(0)
    expect(orders).toEqual(['shop', 'shop'])
  })

  it('with the name of the local user who orders it', async () => {
    await edge()
    await run(['rollback', 'shop', '--data-dir', data])
    expect(keys.map(localOperatorIn)).toEqual([person(`local operator (user ${userInfo().username})`)])
  })

  it('with every service that has a candidate, for --all', async () => {
    await edge()
    expect((await run(['rollback', '--all', '--data-dir', data])).code).toBe(0)
    expect(orders).toEqual(['shop'])
  })

  it('and lists what that would move, where no engine answers', async () => {
    const list = ['rollback', '--list', '--data-dir', data]
    expect((await run(list)).code).toBe(3)
    await edge()
    const { code, stdout, stderr } = await run(list)
    expect(stdout).toMatch(
      /^shop +r2 → r1 +r2 has 50% of traffic at the edge: .* pilothouse rollback shop .*\n$/,
    )
    expect(stderr).toBe('No engine is answering. This is what the edge reports.\n')
    expect(code).toBe(0)
    expect(orders).toEqual([])
  })

  it('only for what the engine did not confirm', async () => {
    await edge()
    await engine(
      json(200, [outcome({ service: 'cart', ok: true, releaseId: 'r1' }), outcome({ code: 'TIMEOUT' })]),
    )
    const { code, stdout } = await run(['rollback', '--all', '--data-dir', data])
    expect(stdout).toMatch(/^ok +cart .*\nok +shop /)
    expect(code).toBe(0)
    expect(orders).toEqual(['shop'])
  })

  it('not when the engine refuses because there is nothing to do; that names the next command', async () => {
    await edge()
    const nextCommand = 'pilothouse deployments undo shop'
    await engine(json(200, [outcome({ code: 'CONFLICT', text: 'r1 has stopped', nextCommand })]))
    const { code, stdout } = await run(['rollback', 'shop', '--data-dir', data])
    expect(stdout).toMatch(/^REFUSED +shop .* r1 has stopped\. Run: pilothouse deployments undo shop\n$/)
    expect(code).toBe(1)
    expect(orders).toEqual([])
  })

  it('not when the engine is one elsewhere, unless a data directory is named', async () => {
    await edge()
    const elsewhere = { PILOTHOUSE_URL: 'http://127.0.0.1:9', PILOTHOUSE_TOKEN: 't' }
    expect((await run(['rollback', 'shop'], elsewhere)).code).toBe(3)
    expect(orders).toEqual([])
    expect((await run(['rollback', 'shop', '--data-dir', data], elsewhere)).code).toBe(0)
  })

  it('not for a name that neither of them knows, and not where all traffic is on the only release', async () => {
    await edge()
    const refused = await run(['rollback', 'cart', '--data-dir', data])
    expect(refused.stdout).toMatch(/^REFUSED +cart .* No change: r1 already had all traffic of cart\. /)
    expect(refused.stderr).not.toContain('Automation stops')
    expect(refused.code).toBe(1)
    await engine(json(404, { code: 'NOT_FOUND', message: 'There is no service "nosuch"' }))
    const unknown = await run(['rollback', 'nosuch', '--yes', '--data-dir', data])
    expect(unknown.stderr).not.toContain('The rollback was sent to the edge')
    expect(unknown.code).not.toBe(0)
    expect(orders).toEqual([])
  })

  it('also where nothing would move, while an engine that may have a deployment does not answer', async () => {
    await edge()
    await engine(json(500, { code: 'INTERNAL', message: 'A defect' }))
    expect((await run(['rollback', 'cart', '--data-dir', data])).code).toBe(0)
    expect(orders).toEqual(['cart'])
  })

  it('and ends with 3 where there is neither', async () => {
    expect((await run(['rollback', 'shop', '--data-dir', join(directory, 'none')])).code).toBe(3)
  })
})

describe('pilothouse rollback needs no valid config', () => {
  const texts = {
    'that is no YAML': 'services: [',
    'with a mistake': 'services: {shop: {listen: {port: "eighty"}}}\n',
    'with an unknown environment': 'environment: moon\n',
  }
  it.each(Object.entries(texts))('beside a config %s', async (_, text) => {
    await edge()
    await writeFile(join(directory, 'pilothouse.yaml'), text)
    expect((await run(['rollback', 'shop', '--data-dir', data])).code).toBe(0)
    expect((await run(['rollback', 'shop', '--data-dir', data, '--config', 'gone.yaml'])).code).toBe(0)
    expect(
      (await run(['rollback', 'shop', '--data-dir', data], { PILOTHOUSE_ENVIRONMENT: 'moon' })).code,
    ).toBe(0)
    expect(orders).toEqual(['shop', 'shop', 'shop'])
  })

  it('and takes from one with mistakes what it says of the data directory', async () => {
    await edge()
    await writeFile(join(directory, 'pilothouse.yaml'), 'environment: moon\ndataDirectory: data\n')
    expect((await run(['rollback', 'shop'])).code).toBe(0)
    expect(orders).toEqual(['shop'])
  })
})

describe.skipIf(process.platform === 'win32')('a working directory that was removed', () => {
  /** Started by a shell that stands in a directory and removes it. */
  const fromNowhere = async (...args: string[]) => {
    const gone = join(directory, 'gone')
    await mkdir(gone)
    const child = spawn('sh', ['-c', 'rmdir "$PWD" && exec "$0" "$@"', process.execPath, cli, ...args], {
      cwd: gone,
      env: { PATH: process.env['PATH'], HOME: directory, PWD: gone },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const text = { stdout: '', stderr: '' }
    child.stdout.on('data', (chunk: Buffer) => (text.stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (text.stderr += chunk.toString()))
    const code = await new Promise((resolve) => child.once('close', resolve))
    return { code, ...text }
  }

  it('does not keep a rollback from the edge', async () => {
    await edge()
    expect(await fromNowhere('rollback', 'shop', '-y', '--data-dir', data)).toMatchObject({ code: 0 })
    expect(orders).toEqual(['shop'])
  })

  it.each([['version'], ['services'], ['config', 'check'], ['config', 'show'], ['edge', 'status']])(
    'is no stack trace for %s %s',
    async (...args) => {
      const { stdout, stderr } = await fromNowhere(...args.filter(Boolean))
      expect(stdout + stderr).not.toMatch(/uv_cwd|\n {4}at /)
      expect(stdout + stderr).not.toBe('')
    },
  )

  it('is named where a relative path starts from it', async () => {
    const { code, stderr } = await fromNowhere('services', '--data-dir', 'data')
    expect(code).toBe(3)
    expect(stderr).toContain(join(directory, 'gone', 'data'))
  })
})
