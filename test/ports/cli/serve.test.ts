import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
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
      expect(url).toMatch(/token=/)
      expect((await fetch(url, { redirect: 'manual' })).status).toBe(302)
      served.signal(signal)
      expect((await served.ended).code).toBe(0)
    },
  )

  it('neither prints nor logs a token it was given', async () => {
    await config('server: {token: {env: MY_TOKEN}}\nlogging: {level: debug}\n')
    const served = serve([], { MY_TOKEN: 'correct-horse-battery' })
    const [url] = await served.until('stdout', address)
    const opened = await fetch(`${url}?token=correct-horse-battery`, { redirect: 'manual' })
    expect(opened.headers.get('set-cookie')).toContain('HttpOnly')
    served.signal('SIGTERM')
    const { code, stdout, stderr } = await served.ended
    expect(code).toBe(0)
    expect(stdout + stderr).not.toContain('correct-horse')
  })

  it('goes on with the running config when the file turns bad, and takes the next good one', async () => {
    await config('logging: {level: warn}\n')
    const served = serve()
    await served.until('stdout', address)
    await config('logging: {level: loud}\n')
    await served.until('stderr', /the changed configuration has mistakes/)
    await config('logging: {level: info}\n')
    // Only the changed level lets this line through: it is written at the end.
    await served.until('stderr', /the configuration was read anew/)
    served.signal('SIGINT')
    const { code, stderr } = await served.ended
    expect(code).toBe(0)
    expect(stderr).toContain('"msg":"stopping"')
  })

  it('refuses a data directory that another one has, and says so', async () => {
    await serve().until('stdout', address)
    const { code, stderr } = await serve().ended
    expect(code).toBe(1)
    expect(stderr).toMatch(/state\.sqlite is held by another program; is a Pilothouse running/)
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
    await rm(join(directory, 'screens'), { recursive: true })
    const missing = await serve(['--data-dir', 'third']).ended
    expect(missing.code).toBe(1)
    expect(missing.stderr).toContain('The screens are not built')
    expect(existsSync(join(directory, 'third'))).toBe(false)
  })
})
