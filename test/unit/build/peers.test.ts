import { chmodSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { findPeer } from '../../../build/bootstrap/peers.mjs'
import { stages } from '../../../build/bootstrap/stages.mjs'
import { peer } from '../../support/peers.ts'

describe.skipIf(process.platform === 'win32')('a peer to test against', () => {
  let directory = ''
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'pilothouse-peers-'))
  })
  afterEach(() => {
    rmSync(directory, { recursive: true })
    vi.restoreAllMocks()
  })

  it('is found on the PATH, under the first of its names', () => {
    const [first, second] = [join(directory, 'first'), join(directory, 'second')]
    for (const place of [first, second]) mkdirSync(place)
    mkdirSync(join(first, 'promtool'))
    writeFileSync(join(second, 'promtool'), '#!/bin/sh\n')
    chmodSync(join(second, 'promtool'), 0o755)
    expect(findPeer('promtool', { path: [first, second].join(delimiter) })).toBe(join(second, 'promtool'))
  })

  it('that is missing is named, and its tests are skipped', () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue(undefined)
    const missing = peer('promtool', { PATH: directory })
    expect(missing.isMissing).toBe(true)
    expect(() => missing.path).toThrow(
      "promtool (checks what /metrics says) is not installed; Debian's package",
    )
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('peer missing: promtool'))
  })

  it('is installed before the stage whose tests ask for it', () => {
    const tests = join(import.meta.dirname, '../..')
    for (const { name, runner, peers } of stages.filter(({ runner }) => runner === 'vitest')) {
      const files = globSync(`${name}/**/*.ts`, { cwd: tests }).filter(
        (file) => !file.startsWith('unit/build/'),
      )
      const asked = files.flatMap((file) =>
        [...readFileSync(join(tests, file), 'utf8').matchAll(/\bpeer\('([^']+)'\)/g)].map(([, peer]) => peer),
      )
      expect([...new Set(asked)].sort(), `${runner} ${name}`).toEqual([...peers].sort())
    }
  })

  it('that is missing in CI fails the run', () => {
    expect(() => peer('promtool', { PATH: directory, CI: 'true' })).toThrow('promtool')
  })
})
