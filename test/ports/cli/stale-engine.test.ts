import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { identityOf } from '../../../src/edge/index.ts'
import { isLaunchPending } from '../../../src/hosts/cli/operations/launch-calls.ts'
import { engineCalls, engineOn } from '../../../src/hosts/cli/operations/engine.ts'
import { announceServer, findServer } from '../../../src/hosts/server-file.ts'

let directory: string
let server: Server
let url: string
/** What whoever listens at the port was sent. */
let received: (string | undefined)[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ph-stale-'))
  await mkdir(join(directory, 'data'))
  received = []
  server = createServer((request, reply) => {
    received.push(request.headers.authorization)
    reply.writeHead(200, { 'content-type': 'application/json' }).end('{"isPending":true}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(async () => {
  server.closeAllConnections()
  server.close()
  await rm(directory, { recursive: true, force: true })
})

const left = (access: { pid: number; identity?: string | null }) =>
  writeFile(join(directory, 'server.json'), JSON.stringify({ url, token: 't', ...access }))

describe('the file of an engine that was killed', () => {
  it('names nobody once another process has its number', async () => {
    await left({ pid: process.pid, identity: 'of-another-time' })
    expect(await findServer(directory)).toBeNull()
    await left({ pid: process.pid, identity: await identityOf(process.pid) })
    expect(await findServer(directory)).toMatchObject({ url, token: 't' })
  })

  it('names nobody when it does not tell which process it was', async () => {
    await left({ pid: process.pid })
    expect(await findServer(directory)).toBeNull()
  })

  it.runIf(process.platform === 'linux')('names nobody while its process waits to be buried', async () => {
    const parent = spawn('sh', ['-c', 'sleep 100 & echo $!; exec sleep 100'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    try {
      const [text] = (await once(parent.stdout, 'data')) as [Buffer]
      const pid = Number(text.toString())
      await left({ pid, identity: await identityOf(pid) })
      expect(await findServer(directory)).toMatchObject({ pid })
      process.kill(pid, 'SIGKILL')
      await expect.poll(() => findServer(directory)).toBeNull()
      expect(() => process.kill(pid, 0)).not.toThrow()
    } finally {
      parent.kill('SIGKILL')
    }
  })
})

describe('an engine that was found', () => {
  it('gets no token at a later call when its process has gone since', async () => {
    await left({ pid: process.pid, identity: await identityOf(process.pid) })
    const found = await engineOn([directory], { file: undefined })
    if (!found.ok) throw found.error
    expect(await isLaunchPending(found.value, 'x')).toBe(true)
    expect(received).toEqual(['Bearer t'])
    await left({ pid: process.pid, identity: 'of-another-time' })
    await expect(isLaunchPending(found.value, 'x')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await expect(engineCalls(found.value).services.list()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(received).toHaveLength(1)
  })
})

/** A stranger is only to be had by root, where Node itself is open to others. */
const stranger = 65_534
const canTry =
  process.platform === 'linux' &&
  process.getuid?.() === 0 &&
  spawnSync(process.execPath, ['-e', '0'], { uid: stranger, cwd: '/' }).status === 0

describe.runIf(canTry)('the port of an engine', () => {
  let thief: ChildProcess | undefined
  afterEach(() => void thief?.kill('SIGKILL'))

  it.each(['127.0.0.1', '0.0.0.0', '::'])(
    'is not believed while another user listens at %s',
    async (host) => {
      const code = `require('http').createServer((q, a) => a.end()).listen(0, '${host}', function () { console.log(this.address().port) })`
      thief = spawn(process.execPath, ['-e', code], {
        uid: stranger,
        cwd: '/',
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const [text] = (await once(thief.stdout ?? server, 'data')) as [Buffer]
      const stolen = `http://127.0.0.1:${Number(text.toString())}`
      await using _announced = await announceServer(directory, { url: stolen, token: 't' })
      expect(await findServer(directory)).toBeNull()
      expect(await engineOn([directory], { file: undefined })).toMatchObject({ ok: false })
    },
  )
})
