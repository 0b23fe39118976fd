import { chmodSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/adapters/system/index.ts'
import { openInBrowser } from '../../src/hosts/open-browser.ts'
import { until } from '../support/until.ts'

const url = 'http://127.0.0.1:7780/#launch=0123456789abcdef'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pilothouse-browser-'))
  // Notes what it was started with, as every user of the machine can see it.
  await writeFile(
    join(directory, 'xdg-open'),
    `#!/bin/sh\necho "$@" > "${directory}/arguments.part"\nmv "${directory}/arguments.part" "${directory}/arguments"\n`,
  )
  chmodSync(join(directory, 'xdg-open'), 0o755)
})
afterEach(() => rm(directory, { recursive: true, force: true }))

describe.skipIf(process.platform !== 'linux')('opening the browser', () => {
  const open = (isPending: () => boolean, signal = new AbortController().signal) =>
    openInBrowser({
      url,
      platform: 'linux',
      env: { DISPLAY: ':9', PATH: `${directory}:/usr/bin:/bin` },
      directory,
      clock: systemClock(),
      isPending,
      signal,
    })
  const folders = () => readdirSync(directory).filter((name) => name.startsWith('pilothouse-open-'))

  it('names a file of this user alone, never the launch token, and removes it when the page is open', async () => {
    let isPending = true
    const browser = open(() => isPending)
    const seen = await until('the browser is started', () => {
      const noted = join(directory, 'arguments')
      return existsSync(noted) ? readFileSync(noted, 'utf8').trim() : undefined
    })
    expect(seen).toMatch(/^file:\/\/\S+\.html$/)
    expect(seen).not.toContain('launch')
    const file = fileURLToPath(seen)
    expect(readFileSync(file, 'utf8')).toContain(`content="0; url=${url}"`)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(statSync(join(file, '..')).mode & 0o777).toBe(0o700)
    isPending = false
    await browser?.opened
    expect(folders()).toEqual([])
  })

  it('removes the file when the program ends before the page opened', async () => {
    const over = new AbortController()
    const browser = open(() => true, over.signal)
    await until('the browser is started', () => existsSync(join(directory, 'arguments')) || undefined)
    expect(folders()).toHaveLength(1)
    over.abort(new Error('stopped'))
    await browser?.opened
    expect(folders()).toEqual([])
  })

  it('starts nothing where there is no display', () => {
    const env = { PATH: directory }
    const clock = systemClock()
    const { signal } = new AbortController()
    expect(
      openInBrowser({ url, platform: 'linux', env, directory, clock, isPending: () => true, signal }),
    ).toBeNull()
    expect(folders()).toEqual([])
  })
})
