import { describe, expect, it } from 'vitest'
import { chooseNode } from '../../../build/bootstrap/node-choice.mjs'
import { planPeers } from '../../../build/bootstrap/peers.mjs'
import { chooseShell, rememberFailureMs, type ShellFacts } from '../../../build/bootstrap/shell-choice.mjs'
import { parseStartArguments, serveArguments } from '../../../build/bootstrap/start-arguments.mjs'

describe('the Node that runs the project', () => {
  const old = { running: '/usr/bin/node', runningVersion: '20.19.0' }

  it('is the one from the registry', () => {
    const choice = chooseNode({ ...old, bundled: '/m/node', bundledVersion: 'v24.21.0' })
    expect(choice).toEqual({ node: '/m/node' })
  })

  it('is the running one when it is new enough and the other does not run here', () => {
    const found = {
      bundled: '/m/node',
      bundledVersion: null,
      running: '/usr/bin/node',
      runningVersion: '26.0.0',
    }
    expect(chooseNode(found)).toEqual({ node: '/usr/bin/node' })
  })

  it('is asked for in one sentence when there is none', () => {
    const choice = chooseNode({ ...old, bundled: null, bundledVersion: null })
    expect(choice).toEqual({
      problem: expect.stringContaining('needs Node 24 or newer; this is 20.19.0') as string,
    })
  })
})

describe('desktop or headless', () => {
  const nowMs = Date.UTC(2026, 0, 15)
  const laptop: ShellFacts = {
    wanted: null,
    platform: 'linux',
    isRoot: false,
    hasDisplay: true,
    isBuilt: true,
    hasElectron: true,
    failure: null,
    electronVersion: '45.4.1',
    isFetchForced: false,
    nowMs,
  }
  const failure = { version: '45.4.1', atMs: nowMs - 60_000 }

  it.each<[string, Partial<ShellFacts>, string]>([
    ['opens the desktop where everything is there', {}, 'desktop'],
    ['opens headless when asked to', { wanted: 'headless' }, 'headless'],
    ['opens headless without a display', { hasDisplay: false }, 'headless'],
    ['does not fetch Electron without a display', { hasDisplay: false, hasElectron: false }, 'headless'],
    ['opens headless as root, rather than without a sandbox', { isRoot: true }, 'headless'],
    [
      'opens the desktop as root on a Mac',
      { isRoot: true, platform: 'darwin', hasDisplay: false },
      'desktop',
    ],
    ['fetches Electron when it is missing', { hasElectron: false }, 'fetch'],
    [
      'does not wait again for a download that failed a minute ago',
      { hasElectron: false, failure },
      'headless',
    ],
    ['waits again when told to', { hasElectron: false, failure, isFetchForced: true }, 'fetch'],
    [
      'tries another version at once',
      { hasElectron: false, failure: { ...failure, version: '44.0.0' } },
      'fetch',
    ],
    [
      'tries again a day later',
      { hasElectron: false, failure: { ...failure, atMs: nowMs - rememberFailureMs } },
      'fetch',
    ],
    [
      'tries again when the clock was set back',
      { hasElectron: false, failure: { ...failure, atMs: nowMs + 60_000 } },
      'fetch',
    ],
  ])('%s', (_behaviour, facts, open) => {
    expect(chooseShell({ ...laptop, ...facts })).toMatchObject({ open })
  })

  it('says why it is headless only to somebody who did not ask for it', () => {
    expect(chooseShell({ ...laptop, wanted: 'headless' })).toEqual({ open: 'headless', because: null })
    expect(chooseShell({ ...laptop, hasDisplay: false })).toMatchObject({
      because: expect.stringContaining('display') as string,
    })
  })
})

describe('the arguments of npm start', () => {
  it('keeps its own and passes the others on in their order', () => {
    expect(parseStartArguments(['--headless', '--port', '0', '--no-open'])).toEqual({
      wanted: 'headless',
      isHelp: false,
      isDemo: false,
      rest: ['--port', '0', '--no-open'],
    })
  })

  it('leaves everything behind a -- to the app', () => {
    expect(parseStartArguments(['--', '--help'])).toEqual({
      wanted: null,
      isHelp: false,
      isDemo: false,
      rest: ['--help'],
    })
  })

  it('opens the demo headless, whatever else is wished for', () => {
    expect(parseStartArguments(['--desktop', '--demo', '--no-open'])).toEqual({
      wanted: 'headless',
      isHelp: false,
      isDemo: true,
      rest: ['--no-open'],
    })
  })

  it('takes a free port, so that starts can run side by side', () => {
    expect(serveArguments(['--no-open'], { env: {}, hasConfigFile: false })).toEqual([
      'serve',
      '--port',
      '0',
      '--no-open',
    ])
  })

  it.each([
    [['--port', '8080'], { env: {}, hasConfigFile: false }],
    [['--port=8080'], { env: {}, hasConfigFile: false }],
    [['--config', 'mine.yaml'], { env: {}, hasConfigFile: false }],
    [[], { env: { PILOTHOUSE_SERVER__PORT: '8080' }, hasConfigFile: false }],
    [[], { env: {}, hasConfigFile: true }],
  ])('keeps a port that was chosen: %j %j', (rest, surroundings) => {
    expect(serveArguments(rest, surroundings)).toEqual(['serve', ...rest])
  })
})

describe('how missing peers are got', () => {
  const missing = ['chromium', 'promtool', 'node-exporter'] as const

  it('installs all of them from Debian as root there', () => {
    expect(planPeers(missing, { platform: 'linux', isRoot: true, distribution: 'debian' })).toEqual({
      apt: ['chromium', 'prometheus', 'prometheus-node-exporter'],
      isBrowserFetched: false,
      byHand: [],
    })
  })

  it('takes the browser from Playwright on Ubuntu, whose package is a snap', () => {
    expect(planPeers(missing, { platform: 'linux', isRoot: true, distribution: 'ubuntu' })).toEqual({
      apt: ['prometheus', 'prometheus-node-exporter'],
      isBrowserFetched: true,
      byHand: [],
    })
  })

  it('touches no system that it may not change', () => {
    expect(planPeers(missing, { platform: 'linux', isRoot: false, distribution: 'debian' })).toEqual({
      apt: [],
      isBrowserFetched: true,
      byHand: ['promtool', 'node-exporter'],
    })
  })

  it('does not ask on Windows for what does not exist there', () => {
    expect(planPeers(missing, { platform: 'win32', isRoot: false, distribution: null })).toEqual({
      apt: [],
      isBrowserFetched: true,
      byHand: [],
    })
  })
})
