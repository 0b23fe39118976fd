import type * as fs from 'node:fs/promises'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../src/adapters/system/index.ts'
import { readConfig, watchConfig, type System } from '../../src/adapters/config/index.ts'

/** What the system answers to whoever lists a directory or opens a file; null lets it be. */
let refusal: string | null = null

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fs>()
  const unless =
    <Args extends unknown[], Answer>(act: (...args: Args) => Promise<Answer>) =>
    (...args: Args): Promise<Answer> =>
      refusal === null
        ? act(...args)
        : Promise.reject(Object.assign(new Error(`${refusal}: refused`), { code: refusal }))
  return { ...real, readdir: unless(real.readdir as never), open: unless(real.open as never) }
})

let root: string
let system: System

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pilothouse-config-'))
  system = { platform: 'linux', variables: {}, home: root, workingDirectory: join(root, 'here') }
  await mkdir(system.workingDirectory)
})
afterEach(async () => {
  refusal = null
  await rm(root, { recursive: true, force: true })
})

describe('a directory where a config is looked for', () => {
  it.each(['EMFILE', 'EIO', 'EACCES', 'ESTALE'])(
    'is a problem when listing it fails with %s',
    async (code) => {
      refusal = code
      const { result } = await readConfig({ system })
      expect(result).toMatchObject({ ok: false, error: [{ file: system.workingDirectory }] })
    },
  )

  it('is a problem when it is a link that leads to itself', async () => {
    await mkdir(join(root, '.config'))
    await symlink('pilothouse', join(root, '.config', 'pilothouse'))
    const { result } = await readConfig({ system })
    expect(result).toMatchObject({ ok: false, error: [{ file: join(root, '.config', 'pilothouse') }] })
  })

  it('holds none when it does not exist, or a file is in its place', async () => {
    await writeFile(join(root, '.config'), '')
    expect((await readConfig({ system })).result.ok).toBe(true)
  })
})

describe('a watched config', () => {
  it.each([undefined, 'pilothouse.yaml'])(
    'is a problem while descriptors are short, and is read at a poll after that (named: %s)',
    async (file) => {
      await writeFile(join(system.workingDirectory, 'pilothouse.yaml'), 'server:\n  port: 4210\n')
      const current = await readConfig({ system, file })
      refusal = 'EMFILE'
      const told: (number | 'problem')[] = []
      await using _watch = watchConfig({
        request: { system, file },
        clock: systemClock(),
        current,
        onChange: (result) => void told.push(result.ok ? result.value.config.server.port : 'problem'),
        onFailure: (failure) => expect.unreachable(String(failure)),
        settleMs: 5,
        pollMs: 20,
      })
      await vi.waitUntil(() => told.length > 0)
      expect(told).toEqual(['problem'])
      refusal = null
      await vi.waitUntil(() => told.length > 1)
      expect(told).toEqual(['problem', 4210])
    },
  )
})
