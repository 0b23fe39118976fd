import { writeFileSync } from 'node:fs'
import { findings, inBothThemes } from './accessibility.ts'
import { expect, isLive, test } from './fixture.ts'

test.describe('the overview', () => {
  test("shows this machine's own figures, and they move", async ({ page }) => {
    await expect(page).toHaveURL(/\/(overview)?$/)
    for (const section of ['cpu', 'memory', 'disk', 'network']) {
      await expect(page.getByTestId(`card-${section}`)).toContainText(/\d/)
    }
    await expect(page.getByTestId('card-memory')).toContainText(/available of [\d.]+\sGiB/)
    const line = page.getByTestId('card-cpu').locator('path.line')
    const before = await line.getAttribute('d')
    await expect(line).not.toHaveAttribute('d', before ?? '')
  })

  test('gives a score with its reasons, and says when the engine started', async ({ page }) => {
    await expect(page.getByRole('img', { name: /^Health \d+ of 100$/ })).toBeVisible()
    await expect(page.getByTestId('notices')).toContainText('The engine started')
  })

  test('leads from a card to its chart', async ({ page }) => {
    await page.getByTestId('card-disk').click()
    await expect(page).toHaveURL(/\/host\/local#disk$/)
    await page.goBack()
    await expect(page.getByTestId('card-disk')).toBeVisible()
  })

  test('needs a person when a limit is exceeded, and names the limit', async ({ open }) => {
    const app = await open({
      config: ['telemetry:', '  limits:', '    memory: {warning: 0.001, critical: 0.9999}', ''].join('\n'),
    })
    const need = app.page.getByTestId('needs').getByRole('listitem').filter({ hasText: 'memory use at' })
    // A limit counts once it was exceeded for most of its hold time.
    await expect(need).toContainText(/limit 0\.1%/)
    await expect(app.page.getByTestId('card-memory')).toContainText('warning')
    await need.getByRole('link', { name: 'Open the chart' }).click()
    await expect(app.page).toHaveURL(/\/host\/local#memory$/)
  })

  test('says what is wrong with a changed configuration, and is quiet when it is mended', async ({
    app,
    page,
  }) => {
    writeFileSync(app.configFile, 'telemetry:\n  intervall: 1s\n')
    const strip = page.getByTestId('config-problem')
    await expect(strip).toContainText(':2:3')
    await expect(strip).toContainText('intervall')
    await expect(page.getByTestId('needs')).toContainText('the previous one stays in use')
    await strip.getByRole('link', { name: 'View' }).click()
    await expect(page.getByRole('region', { name: 'Errors' })).toContainText('interval')
    writeFileSync(app.configFile, 'telemetry:\n  interval: 1s\n')
    await expect(page.getByRole('region', { name: 'Errors' })).toBeHidden()
    await isLive(app)
  })

  test('frames the environment when it is production', async ({ open }) => {
    const { page } = await open({ config: 'environment: production\n' })
    await expect(page.getByTestId('environment')).toHaveText('production')
    await expect(page.getByTestId('environment')).toHaveCSS('text-transform', 'uppercase')
  })

  test('has nothing that axe objects to, in both themes', async ({ page }) => {
    await inBothThemes(page, async () => expect(await findings(page)).toEqual([]))
  })

  test('stands still while it loads: what comes takes the place that was kept for it', async ({
    app,
    page,
  }) => {
    await page.addInitScript(() => {
      const shifts: number[] = []
      Object.assign(window, { shifts })
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) shifts.push((entry as unknown as { value: number }).value)
      }).observe({ type: 'layout-shift', buffered: true })
    })
    await app.visit('/overview')
    await expect(page.getByTestId('card-network')).toContainText(/peak [\d.]+/)
    const shifts = await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts)
    // 0.1 of the page is what the web vitals call good; it was 0.0003 when this was written.
    expect(shifts.reduce((sum, shift) => sum + shift, 0)).toBeLessThan(0.1)
  })

  test('breaks on no size: nothing is wider than the page', async ({ page }) => {
    for (const [width, height] of [
      [1440, 900],
      [1024, 700],
      [400, 800],
    ] as const) {
      await page.setViewportSize({ width, height })
      const overflow = () =>
        page.evaluate(() => {
          const main = document.querySelector('main')
          return [
            document.documentElement.scrollWidth - innerWidth,
            (main?.scrollWidth ?? 0) - (main?.clientWidth ?? 0),
          ]
        })
      await expect.poll(overflow).toEqual([0, 0])
      await expect(page.getByRole('navigation', { name: 'Screens' })).toBeInViewport()
    }
  })
})
