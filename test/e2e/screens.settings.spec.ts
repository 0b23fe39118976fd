import { findings, inBothThemes } from './accessibility.ts'
import { expect, test } from './fixture.ts'
import { shellKind } from './shells/shell.ts'

test.describe('the settings', () => {
  test('show each option in effect with its origin', async ({ open }) => {
    const app = await open({ config: 'telemetry:\n  interval: 2s\n' })
    await app.visit('/settings/config')
    const row = app.page.getByRole('row').filter({ hasText: 'telemetry.interval' })
    await expect(row).toContainText('2s')
    await expect(row).toContainText(`${app.configFile}:2`)
    await expect(app.page.getByRole('row').filter({ hasText: 'logging.level' })).toContainText('default')
  })

  test('filter in place and keep the filter in the address', async ({ app, page }) => {
    await app.visit('/settings/config')
    const rows = page.locator('tbody').getByRole('row')
    await expect(rows.first()).toBeVisible()
    const all = await rows.count()
    await page.getByRole('searchbox').fill('retention')
    await expect(page).toHaveURL(/\?q=retention$/)
    expect(await rows.count()).toBeLessThan(all)
    await page.getByRole('searchbox').fill('no such thing')
    await expect(page.getByText('No settings match the filter.')).toBeVisible()
    await page.getByRole('button', { name: 'Show all' }).click()
    await expect(rows).toHaveCount(all)
  })

  test('tell which engine this is and whether it can be relied on', async ({ app, page }) => {
    await app.visit('/settings/about')
    const engine = page.getByRole('region', { name: 'Engine' })
    await expect(engine).toContainText(/Version\s*\d+\.\d+\.\d+/)
    await expect(engine).toContainText(/up \d/)
    const checks = page.getByTestId('checks').getByRole('listitem')
    await expect(checks.filter({ hasText: 'OK' }).first()).toBeVisible()
    await expect(page.getByText('all checks pass')).toBeVisible()
  })

  test('show times in UTC when told to, also after a reload', async ({ app, page }) => {
    await app.visit('/settings/display')
    await page.getByRole('radio', { name: 'UTC', exact: true }).check()
    await expect(page.getByTestId('now')).toContainText(/\d\d:\d\d:\d\d UTC\./)
    await page.reload()
    await expect(page.getByRole('radio', { name: 'UTC', exact: true })).toBeChecked()
    await page.keyboard.press('ControlOrMeta+k')
    await page.getByRole('combobox').fill('times local')
    await page.keyboard.press('Enter')
    await expect(page.getByRole('radio', { name: /^Local/ })).toBeChecked()
  })

  test('lead to the documents of the API where a server serves them', async ({ app, page }) => {
    test.skip(shellKind !== 'headless', 'the desktop serves screens only')
    await app.visit('/settings/about')
    const [opened] = await Promise.all([
      page.waitForEvent('popup'),
      page.getByRole('link', { name: 'HTTP API' }).click(),
    ])
    await expect(opened.locator('body')).toContainText('/telemetry/chart')
  })

  test('have nothing that axe objects to, in both themes', async ({ app, page }) => {
    for (const path of [
      '/settings/config',
      '/settings/display',
      '/settings/about',
      '/settings/config?q=nothing+like+it',
    ]) {
      await app.visit(path)
      await expect(page.getByTestId('liveness')).toHaveAttribute('data-kind', 'live')
      await inBothThemes(page, async () => expect(await findings(page)).toEqual([]))
    }
  })
})
