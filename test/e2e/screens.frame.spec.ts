import type { Page } from '@playwright/test'
import { findings, inBothThemes } from './accessibility.ts'
import { expect, test } from './fixture.ts'
import { shellKind } from './shells/shell.ts'

/** As fast as a person: the second key does not wait until a busy page has answered the first. */
const pressQuickly = (page: Page, ...keys: string[]) =>
  Promise.all(keys.map((key) => page.keyboard.press(key)))

test.describe('the frame by keyboard', () => {
  test('goes to each screen with two keys', async ({ page }) => {
    await pressQuickly(page, 'g', 's')
    await expect(page).toHaveURL(/\/settings\/config$/)
    await pressQuickly(page, 'g', 'a')
    await expect(page).toHaveURL(/\/settings\/about$/)
    await pressQuickly(page, 'g', 'h')
    await expect(page).toHaveURL(/\/host\/local$/)
    await pressQuickly(page, 'g', 'o')
    await expect(page).toHaveURL(/\/overview$/)
  })

  test('leaves letters alone in a text field', async ({ app, page }) => {
    await app.visit('/settings/config')
    await page.keyboard.press('/')
    const filter = page.getByRole('searchbox')
    await expect(filter).toBeFocused()
    await page.keyboard.type('go')
    await expect(filter).toHaveValue('go')
    await expect(page).toHaveURL(/\/settings\/config\?q=go$/)
  })

  test('finds views and actions by name in the palette', async ({ page }) => {
    await page.keyboard.press('Control+k')
    const field = page.getByRole('combobox', { name: 'Search or run a command' })
    await expect(field).toBeFocused()
    await field.fill('licence')
    await expect(page.getByRole('option')).toHaveCount(1)
    await field.fill('zzz')
    await expect(page.getByText('No results.')).toBeVisible()
    await field.fill('settings')
    const options = page.getByRole('option')
    await expect(options.first()).toHaveAttribute('aria-selected', 'true')
    await page.keyboard.press('ArrowDown')
    await expect(options.nth(1)).toHaveAttribute('aria-selected', 'true')
    await field.fill('settings: about')
    await expect(page.getByRole('option', { name: 'Settings: about', selected: true })).toBeVisible()
    await page.keyboard.press('Enter')
    await expect(page).toHaveURL(/\/settings\/about$/)
    await expect(field).toBeHidden()
  })

  test('gives the focus back when the palette is closed with Esc', async ({ page }) => {
    const trigger = page.getByRole('button', { name: 'Search or run a command…' })
    await trigger.focus()
    await page.keyboard.press('Enter')
    await expect(page.getByRole('combobox')).toBeFocused()
    await page.keyboard.press('Escape')
    await expect(trigger).toBeFocused()
  })

  test('shows its keys', async ({ page }) => {
    await page.keyboard.press('?')
    const sheet = page.getByRole('dialog', { name: 'Keyboard shortcuts' })
    await expect(sheet).toContainText('Overview')
    await expect(sheet).toContainText('Change theme')
    await page.keyboard.press('Escape')
    await expect(sheet).toBeHidden()
  })

  test('lets the first Tab skip to the content, and shows where the focus is', async ({ app, page }) => {
    await app.visit('/overview')
    // Until the engine has answered, nothing in the content takes the focus.
    await expect(page.locator('main').getByRole('link').first()).toBeVisible()
    await page.keyboard.press('Tab')
    const skip = page.getByRole('link', { name: 'Skip to content' })
    await expect(skip).toBeFocused()
    await expect(skip).toBeInViewport()
    await page.keyboard.press('Enter')
    await expect(page.locator('main')).toBeFocused()
    await page.keyboard.press('Tab')
    const focused = page.locator('main :focus')
    await expect(focused).toHaveCount(1)
    await expect(focused).toHaveCSS('outline-style', 'solid')
  })
})

test.describe('the theme', () => {
  test('follows the system until one is chosen, and the choice stays', async ({ page }) => {
    const html = page.locator('html')
    await page.emulateMedia({ colorScheme: 'light' })
    await expect(html).toHaveAttribute('data-theme', 'light')
    await page.emulateMedia({ colorScheme: 'dark' })
    await expect(html).toHaveAttribute('data-theme', 'dark')
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox').fill('theme light')
    await page.keyboard.press('Enter')
    await expect(html).toHaveAttribute('data-theme', 'light')
    await page.reload()
    await expect(html).toHaveAttribute('data-theme', 'light')
    await page.keyboard.press('t')
    await expect(html).toHaveAttribute('data-theme', 'dark')
  })
})

test.describe('an address', () => {
  test('brings back view and filter after a reload, and Back undoes a step', async ({ app, page }) => {
    await app.visit('/settings/config?q=retention')
    await expect(page.getByRole('row').filter({ hasText: 'telemetry.retention.raw' })).toBeVisible()
    await page.reload()
    await expect(page.getByRole('searchbox')).toHaveValue('retention')
    await page.getByRole('link', { name: 'About' }).click()
    await expect(page).toHaveURL(/\/settings\/about$/)
    await page.goBack()
    await expect(page.getByRole('searchbox')).toHaveValue('retention')
  })

  test('without a view behind it says so and leads home', async ({ page }) => {
    await page.evaluate(() => history.pushState(null, '', '/settings/nowhere'))
    await page.evaluate(() => dispatchEvent(new PopStateEvent('popstate')))
    await expect(page.getByText('There is no page at /settings/nowhere')).toBeVisible()
    await page.locator('main').getByRole('link', { name: 'Overview' }).click()
    await expect(page.getByTestId('card-cpu')).toBeVisible()
  })
})

test.describe('the page', () => {
  test('applies no style and runs no script that its policy forbids', async ({ app, page }) => {
    const refused: string[] = []
    page.on('console', (message) => {
      if (/Content Security Policy/.test(message.text())) refused.push(message.text())
    })
    for (const path of ['/overview', '/host/local', '/settings/config', '/settings/about']) {
      await app.visit(path)
      await expect(page.getByTestId('liveness')).toHaveAttribute('data-kind', 'live')
    }
    await page.keyboard.press('Control+k')
    await expect(page.getByRole('combobox')).toBeFocused()
    await page.keyboard.press('Escape')
    await page.keyboard.press('?')
    await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible()
    expect(refused).toEqual([])
  })

  test('uses its own typefaces', async ({ page }) => {
    const faces = () =>
      page.evaluate(async () => {
        await document.fonts.ready
        return [...document.fonts].filter(({ status }) => status === 'loaded').map(({ family }) => family)
      })
    await expect.poll(faces).toEqual(expect.arrayContaining([expect.stringContaining('Inter Variable')]))
  })

  test('has nothing that axe objects to with palette or keys open, in both themes', async ({ page }) => {
    await inBothThemes(page, async () => {
      await page.keyboard.press('Control+k')
      await expect(page.getByRole('combobox')).toBeFocused()
      expect(await findings(page)).toEqual([])
      await page.keyboard.press('Escape')
      await expect(page.getByRole('combobox')).toBeHidden()
      await page.keyboard.press('?')
      await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible()
      expect(await findings(page)).toEqual([])
      await page.keyboard.press('Escape')
      await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeHidden()
    })
  })
})

test.describe('a session', () => {
  test.skip(shellKind !== 'headless', 'the desktop needs none')

  test('outlives a reload and a restart of the engine, without a person', async ({ app, page }) => {
    await page.reload()
    await expect(page.getByTestId('liveness')).toHaveAttribute('data-kind', 'live')
    process.kill(await app.enginePid(), 'SIGKILL')
    await expect(page.getByTestId('engine-lost')).toBeVisible()
    await app.revive()
    await expect(page.getByTestId('liveness')).toHaveAttribute('data-kind', 'live')
    expect(await page.context().cookies()).toEqual([])
    expect(new URL(page.url()).hash).toBe('')
  })

  test('is not shared with another tab, which says how to open one', async ({ page }) => {
    const other = await page.context().newPage()
    await other.goto(page.url())
    await expect(other.getByTestId('sign-in')).toContainText('pilothouse open')
    await other.getByLabel('access token').fill('a guess')
    await other.getByRole('button', { name: 'Sign in' }).click()
    await expect(other.getByRole('alert')).toContainText('is not valid for this server')
    await inBothThemes(other, async () => expect(await findings(other)).toEqual([]))
  })

  test('that no longer counts leads to the page that says how to open one', async ({ page }) => {
    await page.evaluate(() => sessionStorage.setItem('pilothouse.session', 'f'.repeat(64)))
    await page.reload()
    await expect(page.getByTestId('sign-in')).toContainText('pilothouse open')
  })
})

test('an address that does not exist shows the not-found screen of the app', async ({ page }) => {
  await page.goto(new URL('/nonsense/at/all', page.url()).href)
  await expect(page.getByRole('heading', { name: 'Not found', level: 1 })).toBeAttached()
  await page.locator('main').getByRole('link', { name: 'Overview' }).click()
  await expect(page.getByTestId('card-cpu')).toBeVisible()
})

test.describe('the engine', () => {
  test.skip(process.platform === 'win32', 'a process cannot be made to hang from outside there')

  test('that hangs makes the page look stale, with its age, until it goes on', async ({ app, page }) => {
    const pid = await app.enginePid()
    process.kill(pid, 'SIGSTOP')
    try {
      await expect(page.getByTestId('liveness')).toHaveAttribute('data-kind', 'stale')
      await expect(page.locator('main')).toHaveCSS('filter', /saturate/)
      await expect(page.getByTestId('card-cpu')).toContainText(/\d\ss old/)
      await expect(page.getByTestId('engine-stale')).toContainText('No updates for')
      await inBothThemes(page, async () => expect(await findings(page)).toEqual([]))
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    await expect(page.getByTestId('liveness')).toHaveAttribute('data-kind', 'live')
    await expect(page.locator('main')).toHaveCSS('filter', 'none')
  })

  test('that is killed is missed at once, and found again when it runs', async ({ app, page }) => {
    process.kill(await app.enginePid(), 'SIGKILL')
    await expect(page.getByTestId('engine-lost')).toBeVisible()
    if (shellKind === 'headless') {
      await expect(page.getByTestId('liveness')).toHaveAttribute('data-kind', 'reconnecting')
      await expect(page.getByTestId('engine-lost')).toContainText(/Retrying in \d+\ss/)
      expect(await findings(page)).toEqual([])
    }
    await app.revive()
    await expect(page.getByTestId('liveness')).toHaveAttribute('data-kind', 'live')
    await expect(page.getByTestId('announcements')).toContainText('The engine was restarted')
    await expect(page.getByTestId('engine-lost')).toBeHidden()
    const line = page.getByTestId('card-cpu').locator('path.line')
    const before = await line.getAttribute('d')
    await expect(line).not.toHaveAttribute('d', before ?? '')
  })
})
