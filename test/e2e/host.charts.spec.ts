import type { Locator, Page } from '@playwright/test'
import { spawn } from 'node:child_process'
import { expect, isLive, test } from './fixture.ts'

const chart = (page: Page, id: string): Locator => page.getByTestId(`chart-${id}`)
const slider = (page: Page, id: string): Locator => chart(page, id).getByRole('slider')

/** The range all charts of the screen say they show; fails when they do not agree. */
async function sharedRange(page: Page): Promise<{ fromMs: number; toMs: number }> {
  const ranges = await page
    .getByRole('slider')
    .evaluateAll((charts) =>
      charts.map((one) => `${one.getAttribute('aria-valuemin')} ${one.getAttribute('aria-valuemax')}`),
    )
  expect(new Set(ranges).size).toBe(1)
  const [fromMs, toMs] = (ranges[0] ?? '').split(' ').map(Number)
  return { fromMs: fromMs ?? Number.NaN, toMs: toMs ?? Number.NaN }
}

const percentOf = (text: string): number => Number(/busy\s+([\d.]+)/.exec(text)?.[1] ?? Number.NaN)

async function drag(page: Page, target: Locator, from: number, to: number): Promise<void> {
  const box = await target.boundingBox()
  if (!box) throw new Error('the chart is not on the page')
  const y = box.y + box.height / 2
  await page.mouse.move(box.x + box.width * from, y)
  await page.mouse.down()
  await page.mouse.move(box.x + box.width * ((from + to) / 2), y)
  await page.mouse.move(box.x + box.width * to, y)
  await page.mouse.up()
}

test.describe('the charts of a host', () => {
  test.beforeEach(async ({ app, page }) => {
    await app.visit('/host/local?range=5m')
    await expect(slider(page, 'cpu')).toBeVisible()
  })

  test('show a busy process within seconds', async ({ page }) => {
    const panel = page
      .getByRole('region', { name: 'CPU', exact: true })
      .filter({ has: slider(page, 'cpu') })
      .last()
    const busy = async () =>
      percentOf(await panel.getByRole('listitem').filter({ hasText: 'busy' }).innerText())
    await expect.poll(busy).toBeGreaterThanOrEqual(0)
    const loops = [0, 1].map(() => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }))
    try {
      await expect.poll(busy).toBeGreaterThan(90)
    } finally {
      for (const loop of loops) loop.kill('SIGKILL')
    }
  })

  test('move on with time, all by the same', async ({ page }) => {
    const before = await sharedRange(page)
    expect(before.toMs - before.fromMs).toBe(5 * 60_000)
    await expect.poll(async () => (await sharedRange(page)).toMs).toBeGreaterThan(before.toMs + 1000)
  })

  test('are drawn on the same canvas again, and not made anew, with each sample', async ({ page }) => {
    // A chart that is made sets the size of its canvas.
    const changes = await page.evaluate(async () => {
      const seen: string[] = []
      const watch = new MutationObserver((records) =>
        seen.push(...records.map(({ attributeName }) => attributeName ?? '')),
      )
      for (const canvas of document.querySelectorAll('[data-testid^=chart-] canvas'))
        watch.observe(canvas, { attributeFilter: ['width', 'height', 'style'] })
      await new Promise((resolve) => setTimeout(resolve, 3500))
      watch.disconnect()
      return seen
    })
    expect(changes).toEqual([])
  })

  test('zoom together to what was dragged on one of them, and back', async ({ page }) => {
    const before = await sharedRange(page)
    await drag(page, slider(page, 'load'), 0.4, 0.7)
    await expect(page.getByTestId('time-mode')).toHaveAttribute('data-mode', 'still')
    const zoomed = await sharedRange(page)
    expect(zoomed.toMs - zoomed.fromMs).toBeLessThan(2.5 * 60_000)
    expect(zoomed.fromMs).toBeGreaterThan(before.fromMs)
    const query = new URL(page.url()).searchParams
    expect(Number(query.get('from'))).toBe(zoomed.fromMs)
    expect(Number(query.get('to'))).toBe(zoomed.toMs)
    await slider(page, 'cpu').dblclick({ position: { x: 200, y: 60 } })
    await expect(page.getByTestId('time-mode')).toHaveAttribute('data-mode', 'live')
    expect(new URL(page.url()).searchParams.has('from')).toBe(false)
  })

  test('zoom by keyboard alone', async ({ page }) => {
    await slider(page, 'cpu').focus()
    await page.keyboard.press('End')
    for (let press = 0; press < 3; press++) await page.keyboard.press('Shift+PageDown')
    await page.keyboard.press('Enter')
    await expect(page.getByTestId('time-mode')).toHaveAttribute('data-mode', 'still')
    await page.keyboard.press('Escape')
    await page.keyboard.press('Escape')
    await expect(page.getByTestId('time-mode')).toHaveAttribute('data-mode', 'live')
  })

  test('share one crosshair that arrow keys move and that is read out with units', async ({ page }) => {
    await slider(page, 'cpu').focus()
    await expect(slider(page, 'cpu')).toHaveAttribute('aria-valuetext', 'Use the arrow keys to select a time')
    // Once a few samples are there; before that there is nothing to read out.
    await expect(async () => {
      await page.keyboard.press('End')
      await page.keyboard.press('ArrowLeft')
      const text = await slider(page, 'cpu').getAttribute('aria-valuetext')
      expect(text).toMatch(/^\d\d:\d\d:\d\d, busy [\d.]+%/)
    }).toPass()
    const moments = await page
      .getByRole('slider')
      .evaluateAll((charts) => charts.map((one) => one.getAttribute('aria-valuenow')))
    expect(new Set(moments).size).toBe(1)
    await page.keyboard.press('Escape')
    await expect(slider(page, 'cpu')).toHaveAttribute('aria-valuetext', 'Use the arrow keys to select a time')
  })

  test('say what they show in a sentence, and in a table', async ({ page }) => {
    await expect(chart(page, 'memory').getByRole('img')).toHaveAttribute(
      'aria-label',
      /^Memory and swap, last 5 minutes\. used is [\d.]+\s\wi?B, between/,
    )
    await page.getByRole('button', { name: 'Memory and swap as table' }).click()
    const table = chart(page, 'memory').getByRole('table')
    await expect(table.getByRole('columnheader', { name: 'used, mean', exact: true })).toBeVisible()
    await expect(table.getByRole('row').nth(1)).toContainText('GiB')
  })

  test('take other ranges by button and by [ and ], and keep them in the address', async ({ page }) => {
    await page.getByRole('button', { name: 'last 7 days' }).click()
    await expect(page).toHaveURL(/range=7d/)
    const week = await sharedRange(page)
    expect(week.toMs - week.fromMs).toBe(7 * 24 * 3_600_000)
    await page.keyboard.press('[')
    await expect(page).toHaveURL(/range=24h/)
    await page.keyboard.press(']')
    await page.keyboard.press(']')
    await expect(page).toHaveURL(/range=30d/)
    await page.goBack()
    await expect(page).toHaveURL(/range=7d/)
  })

  test('stand still while paused and say so', async ({ page }) => {
    await page.keyboard.press('p')
    await expect(page.getByTestId('time-mode')).toHaveAttribute('data-mode', 'paused')
    await expect(page).toHaveURL(/paused=1/)
    const stopped = await sharedRange(page)
    // Three more samples came in: the age in the bar tells, the range does not move.
    await page.waitForFunction((until) => Date.now() > until, stopped.toMs + 4000)
    expect(await sharedRange(page)).toEqual(stopped)
    await page.keyboard.press('p')
    await expect(page.getByTestId('time-mode')).toHaveAttribute('data-mode', 'live')
    await expect.poll(async () => (await sharedRange(page)).toMs).toBeGreaterThan(stopped.toMs)
  })

  test('say stale when the engine is silent, and fill the gap when it is back', async ({ app, page }) => {
    test.skip(process.platform === 'win32', 'a process cannot be made to hang from outside there')
    const pid = await app.enginePid()
    process.kill(pid, 'SIGSTOP')
    try {
      await expect(page.getByTestId('time-mode')).toHaveAttribute('data-mode', 'stale')
      await expect(chart(page, 'cpu')).toBeVisible()
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    await isLive(app)
    await expect(page.getByTestId('time-mode')).toHaveAttribute('data-mode', 'live')
  })

  test('show a chosen stretch again from its address alone', async ({ app, page }) => {
    const to = Math.floor(Date.now() / 1000) * 1000
    await app.visit(`/host/local?from=${to - 60_000}&to=${to}`)
    await expect(page.getByTestId('time-mode')).toHaveAttribute('data-mode', 'still')
    expect(await sharedRange(page)).toEqual({ fromMs: to - 60_000, toMs: to })
  })
})
