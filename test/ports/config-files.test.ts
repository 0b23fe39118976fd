import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Result } from '../../src/base/index.ts'
import {
  readConfig,
  readSecret,
  watchConfig,
  type System,
  type WatchOptions,
} from '../../src/adapters/config/index.ts'
import { systemClock } from '../../src/adapters/system/index.ts'
import type { ConfigProblem } from '../../src/contract/index.ts'
import type { LoadedConfig } from '../../src/engine/config/index.ts'

let root: string
let here: string
let user: string
let system: System

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pilothouse-config-'))
  here = join(root, 'here')
  user = join(root, 'config', 'pilothouse')
  await mkdir(here)
  await mkdir(user, { recursive: true })
  const variables = { XDG_CONFIG_HOME: join(root, 'config') }
  system = { platform: 'linux', variables, home: root, workingDirectory: here }
})
afterEach(() => rm(root, { recursive: true, force: true }))

const portText = (port: number | string) => `server:\n  port: ${port}\n`
const with_ = (variables: Record<string, string>) => ({
  ...system,
  variables: { ...system.variables, ...variables },
})

async function portOf(request: Parameters<typeof readConfig>[0]): Promise<number | ConfigProblem[]> {
  const { result } = await readConfig(request)
  return result.ok ? result.value.config.server.port : result.error
}

describe('the config file', () => {
  it('is the named one, then that of the variable, then one here, then one of the user, then none', async () => {
    expect(await portOf({ system })).toBe(7780)
    await writeFile(join(user, 'pilothouse.json'), '{"server": {"port": 4}}')
    expect(await portOf({ system })).toBe(4)
    await writeFile(join(here, 'pilothouse.yml'), portText(3))
    expect(await portOf({ system })).toBe(3)
    await writeFile(join(root, 'two.yaml'), portText(2))
    expect(await portOf({ system: with_({ PILOTHOUSE_CONFIG: join(root, 'two.yaml') }) })).toBe(2)
    await writeFile(join(here, 'one.yaml'), portText(1))
    expect(await portOf({ system: with_({ PILOTHOUSE_CONFIG: '/nowhere' }), file: 'one.yaml' })).toBe(1)
  })

  it.each([
    ['a missing file', 'nowhere.yaml', 'the file does not exist', /^correct the path.* pilothouse init/],
    ['a directory', '.', 'this is a directory, expected a file', /^name a file, such as pilothouse\.yaml/],
    [
      'a device without end',
      '/dev/zero',
      'this is a device or a pipe, expected a file',
      /^save .* to a file/,
    ],
  ])('cannot be %s, which is told with a remedy and who named it', async (_what, file, message, remedy) => {
    const hint = expect.stringMatching(remedy) as string
    expect(await portOf({ system, file })).toMatchObject([{ message, hint }])
    expect(await portOf({ system, file })).toMatchObject([
      { hint: expect.stringContaining('set by --config') as string },
    ])
  })

  it('cannot be a pipe, and is not waited for', async () => {
    execFileSync('mkfifo', [join(here, 'pipe.yaml')])
    expect(await portOf({ system, file: 'pipe.yaml' })).toMatchObject([
      { line: 1, column: 1, hint: expect.stringMatching(/^save .* to a file/) as string },
    ])
  })

  it('cannot be beside another one', async () => {
    await writeFile(join(here, 'pilothouse.yaml'), portText(1))
    await writeFile(join(here, 'pilothouse.json'), '{}')
    expect(await portOf({ system })).toMatchObject([
      { message: 'pilothouse.json is in the same directory, expected only one config there' },
    ])
  })

  it('cannot be a link that leads to itself', async () => {
    await symlink('pilothouse.yaml', join(here, 'pilothouse.yaml'))
    expect(await portOf({ system })).toMatchObject([{ message: 'its symbolic links form a loop' }])
  })
})

describe('a secret', () => {
  it('is read from a variable or a file, without the last line break', async () => {
    await writeFile(join(here, 'token'), 'hunter2\n')
    expect(await readSecret({ file: join(here, 'token') }, {})).toEqual({ ok: true, value: 'hunter2' })
    expect(await readSecret({ env: 'TOKEN' }, { TOKEN: 'hunter2' })).toEqual({ ok: true, value: 'hunter2' })
  })

  it('is missed with the name of its place', async () => {
    expect(await readSecret({ env: 'TOKEN' }, {})).toMatchObject({ error: { code: 'CONFIG_INVALID' } })
    const missing = await readSecret({ file: join(here, 'token') }, {})
    expect(!missing.ok && missing.error.message).toContain(join(here, 'token'))
  })
})

/** What a watch told, one after the other. */
class Told {
  readonly all: (number | string)[] = []
  #waiting: (() => void)[] = []

  take(result: Result<LoadedConfig, ConfigProblem[]>): void {
    const [mistake] = result.ok ? [] : result.error
    this.all.push(result.ok ? result.value.config.server.port : `${mistake?.line}:${mistake?.column}`)
    for (const wake of this.#waiting.splice(0)) wake()
  }

  /** Resolves when `last` is the newest. */
  async until(last: number | string): Promise<void> {
    while (this.all.at(-1) !== last) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }
}

describe('a watched config', () => {
  const watches: AsyncDisposable[] = []
  const failures: unknown[] = []
  afterEach(async () => {
    for (const watch of watches.splice(0)) await watch[Symbol.asyncDispose]()
    failures.length = 0
  })

  async function watching(file: string | undefined, more: Partial<WatchOptions> = {}) {
    const told = new Told()
    const request = { system, file }
    const current = await readConfig(request)
    const onChange = (result: Result<LoadedConfig, ConfigProblem[]>) => told.take(result)
    const onFailure = (failure: unknown) => void failures.push(failure)
    watches.push(
      watchConfig({
        request,
        clock: systemClock(),
        current,
        onChange: more.onChange ?? onChange,
        onFailure,
        settleMs: 20,
        pollMs: 60_000,
        ...more,
      }),
    )
    return told
  }

  it('is told when it is written in place, and when an editor puts another file in its place', async () => {
    const file = join(here, 'pilothouse.yaml')
    await writeFile(file, portText(1))
    const told = await watching(file)
    await writeFile(file, portText(2))
    await told.until(2)
    for (const port of [3, 4]) {
      await writeFile(`${file}.tmp`, portText(port))
      await rename(`${file}.tmp`, file)
      await told.until(port)
    }
    expect(told.all).toEqual([2, 3, 4])
  })

  it('is told as mistakes when it is bad, and as a config when it is good again', async () => {
    const file = join(here, 'pilothouse.yaml')
    await writeFile(file, portText(1))
    const told = await watching(undefined)
    await writeFile(file, portText('x'))
    await told.until('2:9')
    await writeFile(file, portText(5))
    await told.until(5)
    await unlink(file)
    await told.until(7780)
    expect(told.all).toEqual(['2:9', 5, 7780])
  })

  it('is followed further when what takes a change fails', async () => {
    const file = join(here, 'pilothouse.yaml')
    await writeFile(file, portText(1))
    const told = await watching(file, {
      onChange: (result) => {
        told.take(result)
        if (result.ok && result.value.config.server.port === 2) throw new Error('no room for this')
      },
    })
    await writeFile(file, portText(2))
    await told.until(2)
    await writeFile(file, portText(3))
    await told.until(3)
    expect(failures).toMatchObject([{ message: 'no room for this' }])
  })

  it('is told as a mistake when a command is one text beside a good release', async () => {
    const file = join(here, 'pilothouse.yaml')
    const withCommand = (command: string) =>
      `services: {shop: {releases: {r1: {command: [sleep]}, r2: {command: ${command}}}}}\n`
    await writeFile(file, withCommand('[sleep]'))
    const told = await watching(file)
    await writeFile(file, withCommand('node server.js'))
    await told.until('1:68')
    expect(failures).toEqual([])
  })

  it('is told when a file appears where there was none', async () => {
    const told = await watching(undefined)
    await writeFile(join(user, 'pilothouse.yaml'), portText(6))
    await told.until(6)
    await writeFile(join(here, 'pilothouse.yaml'), portText(7))
    await told.until(7)
  })

  it('is told when a link is turned to another file, and when the file behind it changes', async () => {
    const [one, two, file] = ['one.yaml', 'two.yaml', 'linked.yaml'].map((name) => join(root, name)) as [
      string,
      string,
      string,
    ]
    const link = join(here, 'pilothouse.yaml')
    await writeFile(one, portText(1))
    await writeFile(two, portText(2))
    await symlink(one, link)
    const told = await watching(link)
    await writeFile(one, portText(11))
    await told.until(11)
    await symlink(two, file)
    await rename(file, link)
    await told.until(2)
  })

  it('is found by the poll when its directory was removed and made again', async () => {
    const file = join(here, 'sub', 'pilothouse.yaml')
    await mkdir(join(here, 'sub'))
    await writeFile(file, portText(1))
    const told = await watching(file, { pollMs: 50 })
    await rm(join(here, 'sub'), { recursive: true })
    await told.until('1:1')
    await mkdir(join(here, 'sub'))
    await writeFile(file, portText(8))
    await told.until(8)
  })

  it('is no news when nothing in it changed', async () => {
    const file = join(here, 'pilothouse.yaml')
    await writeFile(file, portText(1))
    const told = await watching(file)
    await writeFile(`${file}.tmp`, portText(1))
    await rename(`${file}.tmp`, file)
    await writeFile(join(here, 'other.txt'), 'x')
    await writeFile(file, portText(9))
    await told.until(9)
    expect(told.all).toEqual([9])
  })
})
