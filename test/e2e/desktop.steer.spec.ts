import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { EdgeClient } from '../../src/adapters/platforms/edge/index.ts'
import { edgeDirectory, edgeSocketPath } from '../../src/hosts/edge/index.ts'
import { startNode } from '../ports/cli/process.ts'
import { launchDouble } from '../support/electron/launch.ts'
import { until } from '../support/until.ts'
import type { Desktop } from './shells/desktop.ts'
import { expect, isLive, onlyOnTheDouble, test } from './shells/desktop-test.ts'
import { dist } from './shells/surroundings.ts'

const shop = fileURLToPath(new URL('../ports/deployments/shop.mjs', import.meta.url))
const double = fileURLToPath(new URL('../support/electron/boot.ts', import.meta.url))

test.describe('the desktop app steers services', () => {
  test('rolls back from the panel without its window, and leaves traffic alone when it is gone', async ({
    start,
    directory,
  }) => {
    onlyOnTheDouble()
    const port = await freePort()
    await using edge = new EdgeClient({
      socketPath: edgeSocketPath(edgeDirectory(join(directory, 'user-data', 'engine'))),
    })
    try {
      const config = configOf(port)
      const desktop = await start({ config })
      await isLive(desktop)
      await deploy(desktop.page, 'r1', 'promoted')
      await deploy(desktop.page, 'r2', 'stepping')
      await expect.poll(() => rollbackLabels(desktop)).toEqual(['shop: r2 → r1…'])

      await rollBack(desktop)
      await expect.poll(() => lastBox(desktop)).toMatchObject({ message: 'Roll back shop?' })
      await answer(desktop, 1)
      expect(await weights(edge)).toEqual({ r1: 70, r2: 30 })

      await rollBack(desktop)
      await expect
        .poll(() => lastBox(desktop))
        .toMatchObject({ count: 2, detail: expect.stringContaining('shop: r2 → r1') })
      await answer(desktop, 0)
      await expect
        .poll(() => lastNotification(desktop))
        .toMatchObject({
          title: 'Rolled back: shop',
          body: expect.stringMatching(/^All traffic of shop goes to r1, verified \(\d+ ms\)$/),
        })
      expect(await weights(edge)).toMatchObject({ r1: 100 })
      await expect(desktop.page.getByTestId('phase')).toHaveAttribute('data-phase', 'rolled_back')
      await expect.poll(() => rollbackLabels(desktop)).toEqual([])

      await desktop.close()
      expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('r1')
      const again = await start({ config })
      await isLive(again)
      await again.page.goto(new URL('/services/shop', again.page.url()).href)
      await expect(again.page.getByText('Automation is stopped')).toBeVisible()
      await expect(again.page.getByRole('heading', { level: 1 })).toContainText('shop')
    } finally {
      await edge.call('stop', { instances: true })
    }
  })

  test('is the command line itself when it is started with a command, and finds the engine of the app that runs', async ({
    start,
    directory,
  }) => {
    onlyOnTheDouble()
    await using edge = new EdgeClient({
      socketPath: edgeSocketPath(edgeDirectory(join(directory, 'user-data', 'engine'))),
    })
    try {
      const desktop = await start({ config: configOf(await freePort()) })
      await isLive(desktop)
      const at = ['--data-dir', join(directory, 'user-data', 'engine')]
      const run = (...words: string[]) =>
        startNode(double, [dist('electron/main.js'), ...words, ...at], directory).ended
      expect(await run('deploy', 'shop', 'r1', '--watch')).toMatchObject({
        stdout: expect.stringContaining('r1 has all traffic and is the stable release now'),
        code: 0,
      })
      await expect(desktop.page.getByText('shop: r1 is the stable release')).toBeVisible()
      expect(await run('deploy', 'shop', 'r9')).toMatchObject({
        stderr: expect.stringContaining('shop has no release "r9"'),
        code: 1,
      })
    } finally {
      await edge.call('stop', { instances: true })
    }
  })

  test('is the embedded platform itself when it is started as that: no window, and it ends as asked', async ({
    directory,
    browser,
  }) => {
    onlyOnTheDouble()
    const folder = join(directory, 'edge')
    const app = launchDouble({
      main: dist('electron/main.js'),
      args: ['--pilothouse-edge', '--directory', folder],
      env: { ...process.env, FORCE_COLOR: undefined, HOME: directory },
      newContext: () => browser.newContext(),
    })
    await using edge = new EdgeClient({ socketPath: edgeSocketPath(folder) })
    const status = await until('the edge answers', async () => {
      const asked = await edge.call('status', {})
      return asked.ok ? asked.value : undefined
    })
    expect(status.pid).toBe(app.pid)
    const seen = await app.evaluate(({ BrowserWindow, observed }) => ({
      windows: BrowserWindow.getAllWindows().length,
      trays: observed.trays.length,
    }))
    expect(seen).toEqual({ windows: 0, trays: 0 })
    await edge.call('stop', { instances: true })
    expect(await app.ended).toBe(0)
  })
})

function configOf(port: number): string {
  const release = { command: [process.execPath, shop] }
  return JSON.stringify({
    services: {
      shop: {
        listen: { port },
        health: { path: '/health', interval: '200ms' },
        drain: '1s',
        grace: '1s',
        deploy: { steps: [{ weight: 30, hold: '10m' }], keepStableWarm: '1s' },
        releases: { r1: release, r2: release },
      },
    },
  })
}

async function deploy(page: Page, release: string, phase: string): Promise<void> {
  await page.goto(new URL('/services/shop', page.url()).href)
  await page.getByRole('link', { name: `Deploy ${release}` }).click()
  const dialog = page.getByTestId('new-deployment')
  await dialog.getByRole('button', { name: 'Show plan and checks' }).click()
  await dialog.getByRole('button', { name: /^Deploy shop/ }).click()
  await expect(page.getByTestId('phase')).toHaveAttribute('data-phase', phase)
}

const rollbackLabels = (desktop: Desktop) =>
  desktop.evaluateDouble(({ observed }) => {
    const found = observed.trays[0]?.menu?.items.find(({ label }) => label === 'Emergency rollback')
    return (found?.submenu?.items ?? []).map(({ label }) => label)
  })

const rollBack = (desktop: Desktop) =>
  desktop.evaluateDouble(({ observed }) => {
    const found = observed.trays[0]?.menu?.items.find(({ label }) => label === 'Emergency rollback')
    found?.submenu?.items[0]?.click()
  })

const lastBox = (desktop: Desktop) =>
  desktop.evaluateDouble(({ observed }) => {
    const { message, detail } = observed.messageBoxes.at(-1) ?? {}
    return { count: observed.messageBoxes.length, message, detail }
  })

const answer = (desktop: Desktop, button: number) =>
  desktop.evaluateDouble(({ observed }, pressed) => observed.messageBoxes.at(-1)?.answer(pressed), button)

const lastNotification = (desktop: Desktop) =>
  desktop.evaluateDouble(({ observed }) => {
    const { title, body } = observed.notifications.at(-1) ?? {}
    return { title, body }
  })

async function weights(edge: EdgeClient) {
  const read = await edge.call('weights', { service: 'shop' })
  if (!read.ok) throw read.error
  return read.value.weights
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
