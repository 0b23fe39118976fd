import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { isRunning } from './processes.ts'

const project = join(import.meta.dirname, '../../..')

/** Stands in for the app: it starts a process of its own, says who they are, and ends when asked to. */
const app = `
  const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  process.on('SIGTERM', () => { console.log('bye'); process.exit(0) })
  console.log('arguments', JSON.stringify(process.argv.slice(2)))
  child.on('spawn', () => console.log('running', process.pid, child.pid))
  if (process.env.APP_FAILS) process.exit(3)
  setInterval(() => {}, 1000)`

/** Stands in for vite: it writes down that it was called, and builds the app. */
const builder = `
  const fs = require('node:fs')
  fs.appendFileSync('builds.log', process.argv.slice(2).join(' ') + '\\n')
  fs.mkdirSync('dist/node', { recursive: true })
  fs.writeFileSync('dist/node/cli.js', fs.readFileSync('src/app.js'))`

/** Whom to run as, so that it is not root: nobody in particular; null where that one may not run our Node. */
const ordinaryUser = findOrdinaryUser()

function findOrdinaryUser(): { uid?: number; gid?: number } | null {
  if (process.getuid?.() !== 0) return {}
  const nobody = { uid: 65534, gid: 65534 }
  return spawnSync(process.execPath, ['--version'], nobody).status === 0 ? nobody : null
}

const everythingIn = (directory: string) => [
  directory,
  ...readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((name) => join(directory, name)),
]

describe.skipIf(process.platform === 'win32')('npm start', () => {
  let house = ''
  const started = new Set<ChildProcess>()

  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(house, file)), { recursive: true })
    writeFileSync(join(house, file), text)
  }

  beforeEach(() => {
    house = mkdtempSync(join(tmpdir(), 'pilothouse start é '))
    for (const part of ['bootstrap', 'start.mjs']) {
      cpSync(join(project, 'build', part), join(house, 'build', part), { recursive: true })
    }
    write('package.json', '{}')
    write('package-lock.json', '{"packages":{"":{}}}')
    write('node_modules/.package-lock.json', '{"packages":{}}')
    write('node_modules/electron/package.json', '{"version":"1.0.0"}')
    write('node_modules/vite/package.json', '{"bin":{"vite":"vite.cjs"}}')
    write('node_modules/vite/vite.cjs', builder)
    write('src/app.js', app)
  })

  afterEach(() => {
    for (const child of started) child.kill('SIGKILL')
    started.clear()
    rmSync(house, { recursive: true, force: true })
  })

  function start(
    args: string[] = [],
    env: NodeJS.ProcessEnv = {},
    command = [process.execPath, join(house, 'build/start.mjs')],
    user: { uid?: number; gid?: number } | null = null,
  ) {
    const { npm_lifecycle_event: _event, PILOTHOUSE_CONFIG: _config, ...clean } = process.env
    const [program = '', ...first] = command
    const child = spawn(program, [...first, ...args], {
      cwd: house,
      env: { ...clean, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...user,
    })
    started.add(child)
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (text += String(bytes)))
    const ended = once(child, 'close').then(([code]) => code as number | null)
    /** Waits until the app has told who it is. */
    const running = async () => {
      await vi.waitUntil(() => /running \d+ \d+/.test(text), { timeout: 60_000 })
      return (/running (\d+) (\d+)/.exec(text) ?? []).slice(1).map(Number)
    }
    return { child, ended, running, said: () => text }
  }

  it('ends everything on Ctrl-C, also when it arrives twice, with exit code 0', async () => {
    const { child, ended, running, said } = start(['--headless'])
    const pids = await running()
    child.kill('SIGINT')
    child.kill('SIGINT')
    expect(await ended).toBe(0)
    expect(said()).toContain('bye')
    await vi.waitUntil(() => !pids.some(isRunning), { timeout: 60_000 })
  })

  it.each(['SIGTERM', 'SIGHUP'] as const)('ends everything on %s', async (signal) => {
    const { child, ended, running } = start(['--headless'])
    const pids = await running()
    child.kill(signal)
    expect(await ended).toBe(0)
    await vi.waitUntil(() => !pids.some(isRunning), { timeout: 60_000 })
  })

  it('ends everything with exit code 0 when npm alone is told to end', async () => {
    const { scripts } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as { scripts: object }
    write('package.json', JSON.stringify({ scripts }))
    const { child, ended, running, said } = start(['--', '--headless'], {}, ['npm', 'start'])
    const pids = await running()
    child.kill('SIGINT')
    expect(await ended).toBe(0)
    expect(said()).toContain('bye')
    await vi.waitUntil(() => !pids.some(isRunning), { timeout: 60_000 })
  })

  it('ends with the npm that started it, when that is killed', async () => {
    const npm = `require('node:child_process').spawn(process.execPath, process.argv.slice(1), { stdio: 'inherit' })`
    const { child, running } = start(['--headless'], { npm_lifecycle_event: 'start' }, [
      process.execPath,
      '-e',
      npm,
      join(house, 'build/start.mjs'),
    ])
    const pids = await running()
    child.kill('SIGKILL')
    await vi.waitUntil(() => !pids.some(isRunning), { timeout: 60_000 })
  })

  it('builds when a source has changed, and only then', async () => {
    const run = async () => {
      const { ended } = start(['--headless'], { APP_FAILS: '1' })
      await ended
      return readFileSync(join(house, 'builds.log'), 'utf8').split('\n').length - 1
    }
    expect([await run(), await run()]).toEqual([1, 1])
    appendFileSync(join(house, 'src/app.js'), '\n// changed')
    expect([await run(), await run()]).toEqual([2, 2])
  })

  it('gives the app its arguments and passes its exit code on', async () => {
    const { ended, said } = start(['--headless', '--no-open'], { APP_FAILS: '1' })
    expect(await ended).toBe(3)
    expect(said()).toContain('arguments ["serve","--port","0","--no-open"]')
  })

  it('says what is wrong when the build fails, and does not start an old one', async () => {
    write('src/app.js', app)
    await start(['--headless'], { APP_FAILS: '1' }).ended
    write('node_modules/vite/vite.cjs', `console.error('src/app.js:3 is not code'); process.exit(1)`)
    write('src/app.js', 'changed')
    const { ended, said } = start(['--headless'])
    expect(await ended).toBe(1)
    expect(said()).toContain('src/app.js:3 is not code')
    expect(said()).not.toContain('arguments')
  })

  it('opens headless, and says so, where there is no display', async () => {
    write('src/app.js', `${app}\nrequire('node:fs').mkdirSync('dist/electron', { recursive: true })`)
    write('dist/electron/main.js', '')
    const { ended, said } = start([], { DISPLAY: '', WAYLAND_DISPLAY: '', APP_FAILS: '1' })
    expect(await ended).toBe(3)
    if (process.platform === 'linux')
      expect(said()).toContain('Opening the headless app: there is no graphical')
  })

  describe.skipIf(process.platform !== 'linux' || !ordinaryUser)('as an ordinary user with a display', () => {
    const desktop = { DISPLAY: ':99', APP_FAILS: '1' }
    const startAsUser = () => {
      const { uid = 0 } = ordinaryUser ?? {}
      if (process.getuid?.() === 0) for (const file of everythingIn(house)) chownSync(file, uid, uid)
      return start([], desktop, undefined, ordinaryUser)
    }
    const electron = (script: string) => {
      write('node_modules/electron/dist/version', '1.0.0')
      write('node_modules/electron/dist/electron', `#!/bin/sh\n${script}\n`)
      chmodSync(join(house, 'node_modules/electron/dist/electron'), 0o755)
    }
    beforeEach(() => write('dist/electron/main.js', ''))

    it('opens the desktop', async () => {
      electron('echo "desktop of $1"')
      const { ended, said } = startAsUser()
      expect(await ended).toBe(0)
      expect(said()).toContain(`desktop of ${house}`)
      expect(said()).not.toContain('arguments')
    })

    it('opens headless when the desktop does not get up', async () => {
      electron('exit 5')
      const { ended, said } = startAsUser()
      expect(await ended).toBe(3)
      expect(said()).toContain('The desktop app ended at once with code 5: opening the headless app.')
    })

    it('opens headless when Electron cannot be fetched, and does not try again at the next start', async () => {
      write('node_modules/electron/install.js', `console.error('Error: no way there'); process.exit(1)`)
      const first = startAsUser()
      expect(await first.ended).toBe(3)
      expect(first.said()).toContain('Electron cannot be fetched (no way there): opening the headless app.')
      write('node_modules/electron/install.js', `console.error('Error: tried again'); process.exit(1)`)
      const second = startAsUser()
      expect(await second.ended).toBe(3)
      expect(second.said()).toContain('Electron could not be fetched lately')
      expect(second.said()).not.toContain('tried again')
    })
  })
})
