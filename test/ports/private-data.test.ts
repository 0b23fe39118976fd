import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../support/until.ts'
import { startNode } from './cli/process.ts'

const cli = fileURLToPath(new URL('./cli/entry.ts', import.meta.url))
const withoutMask = fileURLToPath(new URL('./without-mask.mjs', import.meta.url))
const backend = fileURLToPath(new URL('./edge/backend.mjs', import.meta.url))

let directory: string
let data: string
const started: ReturnType<typeof startNode>[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ph-modes-'))
  data = join(directory, 'data')
  mkdirSync(join(directory, 'screens'))
  writeFileSync(join(directory, 'screens', 'index.html'), '<!doctype html>')
})
afterEach(async () => {
  for (const each of started.splice(0)) {
    each.signal('SIGKILL')
    await each.ended
  }
  await run('edge', 'stop', '--with-instances').ended
  await rm(directory, { recursive: true, force: true })
})

/** The command line as a user with the mask 000 has it, who gives everybody every right. */
function run(...args: string[]) {
  return startNode(withoutMask, [cli, join(directory, 'screens'), ...args, '--data-dir', 'data'], directory)
}

function serve() {
  const served = run('serve', '--no-open', '--port', '0')
  started.push(served)
  return served
}

/** Everything in the data directory, itself included, with the rights that others have. */
function openToOthers(path = data): string[] {
  const { mode } = lstatSync(path)
  const own = (mode & 0o077) === 0 ? [] : [`${path.slice(directory.length)} ${(mode & 0o777).toString(8)}`]
  if (!lstatSync(path).isDirectory()) return own
  return [...own, ...readdirSync(path).flatMap((name) => openToOthers(join(path, name)))]
}

function openAll(path = data): void {
  chmodSync(path, lstatSync(path).isDirectory() ? 0o777 : 0o666)
  if (!lstatSync(path).isDirectory()) return
  for (const name of readdirSync(path)) openAll(join(path, name))
}

async function serveAndEnd(look: () => void): Promise<void> {
  const served = serve()
  await served.until('stdout', /http:\S+/)
  await until('the edge answers', async () =>
    (await run('edge', 'status').ended).code === 0 ? true : undefined,
  )
  await until('the log is there', () => (existsSync(join(data, 'logs', 'pilothouse.log')) ? true : undefined))
  look()
  served.signal('SIGTERM')
  await served.ended
}

describe.skipIf(process.platform === 'win32')('a data directory', () => {
  beforeEach(() => {
    const services = {
      shop: { listen: { port: 0 }, releases: { r1: { command: [process.execPath, backend] } } },
    }
    const config = { logging: { destination: 'file' }, services }
    writeFileSync(join(directory, 'pilothouse.json'), JSON.stringify(config))
  })

  it('is closed to others with all that is made in it, whatever the mask is, and is closed again at a start', async () => {
    await serveAndEnd(() => expect(openToOthers()).toEqual([]))
    openAll()
    await serveAndEnd(() => {
      expect(openToOthers()).toEqual([])
      // Made at the second start.
      expect(readdirSync(join(data, 'backups'))).toHaveLength(1)
      for (const name of ['state.sqlite-wal', 'telemetry.sqlite-wal', 'server.json', 'edge'])
        expect(existsSync(join(data, name))).toBe(true)
    })
  })

  it('is refused with a sentence when others can enter it and it holds other things', async () => {
    mkdirSync(data)
    writeFileSync(join(data, 'notes.txt'), '')
    chmodSync(data, 0o755)
    const { code, stderr } = await serve().ended
    expect(code).toBe(1)
    expect(stderr).toMatch(/Other users can enter .*\/data \(mode 0755\), and it holds other files/)
    expect(lstatSync(data).mode & 0o777).toBe(0o755)
    expect(readdirSync(data)).toEqual(['notes.txt'])
  })

  it.skipIf(process.getuid?.() !== 0)('is refused when it is open and belongs to another user', async () => {
    mkdirSync(data)
    chmodSync(data, 0o777)
    chownSync(data, 12345, 12345)
    const { code, stderr } = await serve().ended
    expect(code).toBe(1)
    expect(stderr).toContain('belongs to another user (uid 12345)')
    expect(readdirSync(data)).toEqual([])
  })
})
