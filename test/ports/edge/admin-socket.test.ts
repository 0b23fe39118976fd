import { createServer } from 'node:net'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EdgeClient } from '../../../src/adapters/platforms/edge/index.ts'
import { edgeClient } from '../../../src/hosts/edge/index.ts'
import { edgeSocketPlaces } from '../../../src/hosts/edge/places.ts'
import { readPointer } from '../../../src/hosts/edge/pointer.ts'
import { until } from '../../support/until.ts'
import { startNode } from '../cli/process.ts'
import { codeOf, valueOf } from '../platform.ts'

const entry = join(import.meta.dirname, '../../../src/hosts/edge/main.ts')
const isRoot = process.getuid?.() === 0

describe.skipIf(process.platform === 'win32')('the admin socket of an edge', () => {
  let base: string
  let edge: ReturnType<typeof startNode> | undefined
  const variables: Record<string, string | undefined> = {}
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'ph-'))
  })
  afterEach(async () => {
    edge?.signal('SIGTERM')
    await edge?.ended
    edge = undefined
    if ('TMPDIR' in variables) setTmpdir(variables['TMPDIR'])
    rmSync(base, { recursive: true, force: true, maxRetries: 20 })
  })

  /** Of this process: where its clients look. */
  const setTmpdir = (path: string | undefined) => {
    if (path === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = path
  }

  /** Starts an edge; a long path makes it put its socket among the temporary files, which are in `tmp`. */
  const start = async ({ isLong = false, tmp = '' } = {}) => {
    const directory = join(base, isLong ? 'a'.repeat(100) : 'data', 'edge')
    if (tmp !== '') mkdirSync(tmp, { recursive: true })
    edge = startNode(entry, ['--directory', directory], base, tmp === '' ? {} : { TMPDIR: tmp })
    const [, path] = (await edge.until('stdout', /edge serves at (.+)\n/)) as unknown as [string, string]
    return { directory, path }
  }
  const answers = (path: string) =>
    until('an answer', async () => {
      await using client = new EdgeClient({ socketPath: path })
      return (await client.call('status', {})).ok || undefined
    })

  it.each([
    ['is removed', (path: string) => rmSync(path)],
    [
      'is replaced by a file',
      (path: string) => {
        rmSync(path)
        writeFileSync(path, '')
      },
    ],
    ['loses its directory', (path: string) => rmSync(dirname(path), { recursive: true })],
  ])('is made again when it %s', async (_, spoil) => {
    const { path } = await start({ isLong: true, tmp: join(base, 'tmp') })
    expect(path.startsWith(join(base, 'tmp'))).toBe(true)
    for (let round = 0; round < 2; round++) {
      spoil(path)
      await answers(path)
      expect(lstatSync(path).mode & 0o777).toBe(0o600)
      expect(statSync(dirname(path)).mode & 0o777).toBe(0o700)
    }
  })

  it('is made again when another program listens in its place, which then gets no calls', async () => {
    const { path, directory } = await start()
    rmSync(path)
    const stranger = createServer((socket) => socket.destroy()).listen(path)
    try {
      await answers(path)
      await using client = edgeClient(directory)
      expect(valueOf(await client.call('status', {})).pid).toBe(edge?.pid)
    } finally {
      stranger.close()
    }
    // To close the stranger has removed the file at its path once more.
    await answers(path)
  })

  it.runIf(process.platform === 'linux')('is known to the system under the name it is found at', async () => {
    const { path } = await start()
    const names = () => readFileSync('/proc/net/unix', 'utf8').split('\n')
    expect(names().filter((line) => line.endsWith(` ${path}`))).toHaveLength(1)
    rmSync(path)
    await answers(path)
    expect(names().some((line) => line.endsWith(` ${path}`))).toBe(true)
  })

  it('is found by a client with another TMPDIR', async () => {
    const { directory, path } = await start({ isLong: true, tmp: join(base, 'tmp') })
    expect(edgeSocketPlaces(directory)).not.toContain(path)
    expect(await until('the pointer', () => readPointer(directory) ?? undefined)).toMatchObject({
      pid: edge?.pid,
      socketPath: path,
    })
    await using client = edgeClient(directory)
    expect(valueOf(await client.call('status', {})).pid).toBe(edge?.pid)
  })

  it('is found where it is though an earlier edge, which was killed, has left a pointer and a socket', async () => {
    const { directory, path } = await start({ isLong: true, tmp: join(base, 'tmp') })
    const left = await until('the pointer', () => readPointer(directory) ?? undefined)
    edge?.signal('SIGKILL')
    await edge?.ended
    const tmp = join(base, 'other')
    await start({ isLong: true, tmp })
    const newest = () => {
      const pointer = readPointer(directory)
      return pointer && pointer.pid !== left.pid ? pointer : undefined
    }
    await until('the pointer of the new one', newest)
    // As if the disk had not taken the new pointer.
    writeFileSync(join(directory, 'edge.json'), JSON.stringify(left))
    expect(existsSync(path)).toBe(true)
    variables['TMPDIR'] = process.env['TMPDIR']
    setTmpdir(tmp)
    await using client = edgeClient(directory)
    expect(valueOf(await client.call('status', {})).pid).toBe(edge?.pid)
  })

  it('gets its directory closed to others, which an earlier version had left open', async () => {
    const directory = join(base, 'data', 'edge')
    mkdirSync(directory, { recursive: true, mode: 0o755 })
    chmodSync(directory, 0o755)
    await start()
    expect(statSync(directory).mode & 0o777).toBe(0o700)
    chmodSync(directory, 0o755)
    await using client = edgeClient(directory)
    expect((await client.call('status', {})).ok).toBe(true)
    expect(statSync(directory).mode & 0o777).toBe(0o700)
  })

  it.runIf(isRoot)('is not trusted in a directory of another user, and neither made there', async () => {
    const directory = join(base, 'a'.repeat(100), 'edge')
    const tmp = join(base, 'tmp')
    variables['TMPDIR'] = process.env['TMPDIR']
    setTmpdir(tmp)
    const [planted] = edgeSocketPlaces(directory)
    mkdirSync(dirname(planted), { recursive: true, mode: 0o700 })
    let isAsked = false
    const stranger = createServer(() => (isAsked = true)).listen(planted)
    try {
      chownSync(dirname(planted), 12345, 12345)
      await using client = edgeClient(directory)
      const refused = await client.call('status', {})
      expect(codeOf(refused)).toBe('FORBIDDEN')
      expect(refused.ok ? '' : refused.error.message).toMatch(
        /belongs to another user \(uid 12345\).*Remove that directory/,
      )
      expect(isAsked).toBe(false)
      const { path } = await start({ isLong: true, tmp })
      expect(dirname(path)).not.toBe(dirname(planted))
      expect((await client.call('status', {})).ok).toBe(true)
    } finally {
      stranger.close()
    }
  })
})
