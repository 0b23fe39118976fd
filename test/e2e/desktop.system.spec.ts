import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, isLive, onlyOnTheDouble, test } from './shells/desktop-test.ts'
import { openDouble } from './shells/double.ts'

test.describe('the desktop app in its system', () => {
  test('opens at the screen that the link of its start names', async ({ start }) => {
    const desktop = await start({ args: ['pilothouse://settings/about'] })
    await expect(desktop.page).toHaveURL(/\/settings\/about$/)
    await isLive(desktop)
  })

  test('ignores a link that names no screen', async ({ start }) => {
    const desktop = await start({ args: ['pilothouse://api/rollback?service=checkout'] })
    await expect(desktop.page).toHaveURL(/\/$/)
    await isLive(desktop)
  })

  test('runs once: a second start hands its link to the first and ends', async ({
    desktop,
    directory,
    browser,
  }) => {
    onlyOnTheDouble()
    const second = openDouble({
      directory,
      newContext: () => browser.newContext(),
      args: ['pilothouse://settings'],
    })
    await expect(second).rejects.toThrow('ended with code 0 before its window opened')
    await expect(desktop.page).toHaveURL(/\/settings$/)
    // The page went there by itself: nothing was loaded anew.
    await isLive(desktop)
  })

  test('goes to a screen from its menu without loading the page anew', async ({ desktop }) => {
    const { page } = desktop
    await page.evaluate(() => Object.assign(window, { isSamePage: true }))
    await desktop.evaluate(({ Menu }) => {
      const view = Menu.getApplicationMenu()?.items.find(({ label }) => label === '&View')
      view?.submenu?.items.find(({ label }) => label === 'Settings')?.click()
    })
    await expect(page).toHaveURL(/\/settings$/)
    expect(await page.evaluate(() => 'isSamePage' in window)).toBe(true)
  })

  test('opens where and as large as it was, and in sight when its file says otherwise', async ({
    start,
    directory,
  }) => {
    const bounds = { x: 60, y: 70, width: 900, height: 640 }
    const shown = ({ BrowserWindow }: Parameters<Parameters<typeof first.evaluate>[0]>[0]) =>
      BrowserWindow.getAllWindows()[0]?.getNormalBounds()
    const first = await start()
    await first.evaluate(
      ({ BrowserWindow }, wanted) => BrowserWindow.getAllWindows()[0]?.setBounds(wanted),
      bounds,
    )
    await first.close()
    const second = await start()
    expect(await second.evaluate(shown)).toEqual(bounds)
    await second.close()

    const file = join(directory, 'user-data', 'window-state.json')
    const state = JSON.parse(readFileSync(file, 'utf8')) as { bounds: object }
    writeFileSync(file, JSON.stringify({ ...state, bounds: { ...bounds, x: 50_000 } }))
    const third = await start()
    const back = await third.evaluate(shown)
    expect(back?.x).toBeLessThan(2000)
  })

  test('shows the worst state as a shape in the panel, in words, and as a count', async ({ start }) => {
    onlyOnTheDouble()
    const desktop = await start({
      config: 'telemetry:\n  limits:\n    disk:\n      warning: 0.99\n      critical: 0.999\n',
    })
    const look = () =>
      desktop.evaluateDouble(({ app, observed }) => {
        const tray = observed.trays[0]
        return {
          icon: tray?.image.toDataURL() ?? '',
          sharp: tray?.image.getSize(2).width === tray?.image.getSize(1).width,
          words: tray?.menu?.items[0]?.label ?? '',
          count: app.asked.badgeCount,
        }
      })
    // A busy machine is a warning, as it should be.
    await expect.poll(async () => (await look()).words).toMatch(/^(Healthy|Warning): health \d+ of 100/)
    const well = await look()
    if (well.words.startsWith('Healthy')) expect(well.count).toBe(0)
    expect(well.sharp).toBe(true)
    writeFileSync(
      desktop.configFile,
      'telemetry:\n  limits:\n    disk:\n      warning: 0.00001\n      critical: 0.00002\n',
    )
    await expect.poll(async () => (await look()).words).toMatch(/^Critical: health \d+ of 100: .+/)
    const critical = await look()
    expect(critical.icon).not.toBe(well.icon)
    expect(critical.count).toBeGreaterThan(0)

    const notifications = await desktop.evaluateDouble(({ observed }) =>
      observed.notifications.map(({ title, body, urgency }) => ({ title, body, urgency })),
    )
    expect(notifications.at(-1)).toMatchObject({ title: 'Pilothouse: critical', urgency: 'critical' })
    await desktop.evaluateDouble(({ observed }) => void observed.notifications.at(-1)?.emit('click'))
    await expect(desktop.page).toHaveURL(/\/host\/local$/)
  })

  test('quits from the panel', async ({ desktop }) => {
    onlyOnTheDouble()
    await desktop.evaluateDouble(
      ({ observed }) =>
        void setTimeout(() =>
          observed.trays[0]?.menu?.items.find(({ label }) => label === 'Quit Pilothouse')?.click(),
        ),
    )
    expect(await desktop.ended).toBe(0)
  })

  test('looks for no updates while no source is configured', async ({ desktop }) => {
    const labels = await desktop.evaluate(({ Menu }) =>
      Menu.getApplicationMenu()?.items.flatMap(
        ({ submenu }) => submenu?.items.map(({ label }) => label) ?? [],
      ),
    )
    expect(labels).not.toContain('Check for Updates')
    expect(labels).toContain('New Window')
  })
})
