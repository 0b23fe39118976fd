import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sessionOf } from '../../support/sign-in.ts'
import { startNode } from './process.ts'

const entry = fileURLToPath(new URL('./entry.ts', import.meta.url))

let directory: string
const started: ReturnType<typeof startNode>[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pilothouse-serve-'))
  await mkdir(join(directory, 'screens'))
  await writeFile(join(directory, 'screens', 'index.html'), '<!doctype html><title>Pilothouse</title>')
})
afterEach(async () => {
  for (const each of started.splice(0)) {
    each.signal('SIGKILL')
    await each.ended
  }
  await rm(directory, { recursive: true, force: true })
})

const config = (text: string) => writeFile(join(directory, 'pilothouse.yaml'), text)

function serve(args: string[] = [], variables: Record<string, string> = {}) {
  const all = [join(directory, 'screens'), 'serve', '--no-open', '--port', '0', '--data-dir', 'data', ...args]
  const served = startNode(entry, all, directory, variables)
  started.push(served)
  return served
}

const address = /http:\/\/127\.0\.0\.1:\d+\/\S*/

describe('pilothouse serve', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'prints an address that opens, and ends with 0 on %s',
    async (signal) => {
      const served = serve()
      const [url] = await served.until('stdout', address)
      expect(await sessionOf(url)).toMatch(/^[0-9a-f]{64}$/)
      await expect(sessionOf(url)).rejects.toThrow(/401/)
      served.signal(signal)
      expect((await served.ended).code).toBe(0)
    },
  )

  it('neither prints nor logs a token it was given', async () => {
    await config('server: {token: {env: MY_TOKEN}}\nlogging: {level: debug}\n')
    const served = serve([], { MY_TOKEN: 'correct-horse-battery' })
    const [url] = await served.until('stdout', address)
    const headers = { authorization: 'Bearer correct-horse-battery' }
    expect((await fetch(new URL('/session', url), { headers })).status).toBe(204)
    served.signal('SIGTERM')
    const { code, stdout, stderr } = await served.ended
    expect(code).toBe(0)
    expect(stdout + stderr).not.toContain('correct-horse')
  })

  it('prints a new address for each `pilothouse open`, and keeps sessions when it is killed and started again', async () => {
    const first = serve()
    const [url] = await first.until('stdout', address)
    const session = await sessionOf(url)
    const open = async () => {
      const all = [join(directory, 'screens'), 'open', '--data-dir', 'data']
      const { code, stdout } = await startNode(entry, all, directory).ended
      expect(code).toBe(0)
      return stdout.trim()
    }
    const addresses = [await open(), await open()]
    expect(new Set([url, ...addresses]).size).toBe(3)
    for (const each of addresses) expect(await sessionOf(each)).not.toBe(session)
    first.signal('SIGKILL')
    await first.ended
    const [again] = await serve(['--port', new URL(url).port]).until('stdout', address)
    const headers = { authorization: `Bearer ${session}` }
    expect((await fetch(new URL('/api/v1/hosts', again), { headers })).status).toBe(200)
  })

  it('says with code 3 that there is no engine to open a page of', async () => {
    const { code, stderr } = await startNode(
      entry,
      [join(directory, 'screens'), 'open', '--data-dir', 'data'],
      directory,
    ).ended
    expect(code).toBe(3)
    expect(stderr).toContain('pilothouse serve')
  })

  it('goes on with the running config when the file turns bad, and takes the next good one', async () => {
    await config('logging: {level: warn}\n')
    const served = serve()
    await served.until('stdout', address)
    await config('logging: {level: loud}\n')
    await served.until('stderr', /the changed configuration was rejected/)
    await config('logging: {level: info}\n')
    // Only the changed level lets this line through: it is written at the end.
    await served.until('stderr', /the configuration was reloaded/)
    served.signal('SIGINT')
    const { code, stderr } = await served.ended
    expect(code).toBe(0)
    expect(stderr).toContain('"msg":"stopping"')
  })

  it('refuses a data directory that another one has, and says so', async () => {
    await serve().until('stdout', address)
    const { code, stderr } = await serve().ended
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /state\.sqlite is in use by another Pilothouse engine: process \d+ on .+, since .+--data-dir/,
    )
  })

  it('writes its log to a file in the data directory when told so', async () => {
    const served = serve([], { PILOTHOUSE_LOGGING__DESTINATION: 'file' })
    await served.until('stdout', address)
    served.signal('SIGINT')
    const { stderr } = await served.ended
    expect(stderr).toBe('')
    const file = join(directory, 'data', 'logs', 'pilothouse.log')
    const lines = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { msg: string })
    expect(lines.map(({ msg }) => msg)).toContain('stopping')
  })

  it('ends with 1 and what to do when the port is taken or the screens are missing', async () => {
    const [url] = await serve().until('stdout', address)
    const taken = await serve(['--port', new URL(url).port, '--data-dir', 'other']).ended
    expect(taken.code).toBe(1)
    expect(taken.stderr).toContain(`port ${new URL(url).port}`)
    expect(taken.stderr).toContain('choose another port: pilothouse serve --port')
    expect(taken.stderr).not.toMatch(/by itself|try again/)
    await rm(join(directory, 'screens'), { recursive: true })
    const missing = await serve(['--data-dir', 'third']).ended
    expect(missing.code).toBe(1)
    expect(missing.stderr).toContain('The screens are not built')
    expect(missing.stderr).toContain('npm run build')
    expect(existsSync(join(directory, 'third'))).toBe(false)
  })
})

describe('a first service', () => {
  it('is written, served, deployed and stopped with what the commands say, without a warning', async () => {
    const cli = (...args: string[]) => startNode(entry, [join(directory, 'screens'), ...args], directory)
    await writeFile(
      join(directory, 'server.mjs'),
      `import { createServer } from 'node:http'
      createServer((_, response) => response.end('hello from the first service')).listen(process.env.PORT, '127.0.0.1')`,
    )
    const port = await freePort()
    const written = await cli('init', 'hello', '--port', String(port), '--', process.execPath, 'server.mjs')
      .ended
    expect(written.code, written.stderr).toBe(0)
    const served = serve()
    await served.until('stdout', address)
    try {
      const deployed = await cli('deploy', 'hello', 'r1', '--watch', '--data-dir', 'data').ended
      expect(deployed.code, deployed.stdout + deployed.stderr).toBe(0)
      expect(deployed.stdout).toMatch(/\nPromoted: r1 is the stable release of hello\n$/)
      expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('hello from the first service')
      served.signal('SIGINT')
      const { code, stdout, stderr } = await served.ended
      expect(code).toBe(0)
      expect(stderr).not.toMatch(/"level":"(warn|error)"/)
      expect(stdout).toContain(
        'Still running without the engine: hello. To stop them, run: pilothouse edge stop --with-instances --data-dir data',
      )
      expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('hello from the first service')
    } finally {
      const stopped = await cli('edge', 'stop', '--with-instances', '--data-dir', 'data').ended
      expect(stopped.code, stopped.stderr).toBe(0)
    }
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow()
  }, 120_000)

  async function freePort(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    return port
  }
})
