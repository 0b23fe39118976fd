import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { findings, inBothThemes } from './accessibility.ts'
import { expect, test } from './fixture.ts'

test.describe('the tables of a host', () => {
  test.beforeEach(async ({ app, page }) => {
    await app.visit('/host/local')
    await expect(page.getByRole('heading', { level: 1 })).not.toBeEmpty()
  })

  test('find a process by its PID, show it in detail, and say when it has ended', async ({ page }) => {
    const child = spawn(process.execPath, ['-e', 'for (;;);', 'a-name-to-find'], { stdio: 'ignore' })
    try {
      const processes = page.getByTestId('processes')
      await processes.scrollIntoViewIfNeeded()
      await page.getByRole('searchbox', { name: 'Filter processes' }).fill(String(child.pid))
      const row = processes.getByRole('row').filter({ hasText: 'a-name-to-find' })
      await expect(row).toBeVisible()
      await expect(page).toHaveURL(new RegExp(`process=${child.pid}`))
      await row.click()
      const detail = page.getByTestId('process-detail')
      await expect(detail).toContainText('a-name-to-find')
      await expect(detail).toContainText('of one core')
      child.kill('SIGKILL')
      await expect(detail).toContainText('This process has ended.')
      await expect(detail).toContainText('a-name-to-find')
      await detail.getByRole('button', { name: 'Close' }).click()
      await expect(detail).toBeHidden()
    } finally {
      child.kill('SIGKILL')
    }
  })

  test('sort processes and walk through them by keyboard', async ({ page }) => {
    const processes = page.getByTestId('processes')
    await processes.scrollIntoViewIfNeeded()
    const memory = processes.getByRole('columnheader', { name: 'memory' })
    await memory.getByRole('button').focus()
    await page.keyboard.press('Enter')
    await expect(memory).toHaveAttribute('aria-sort', 'descending')
    await expect(page).toHaveURL(/order=memory/)
    await page.keyboard.press('Enter')
    await expect(memory).toHaveAttribute('aria-sort', 'ascending')
    await processes.locator('[data-index="0"]').focus()
    for (let press = 0; press < 25; press++) await page.keyboard.press('ArrowDown')
    await expect(processes.locator('[data-index="25"]')).toBeFocused()
    await page.keyboard.press('Enter')
    await expect(page.getByTestId('process-detail')).toBeVisible()
    await expect(page).toHaveURL(/pid=\d+/)
  })

  test('hold no more rows than can be seen', async ({ page }) => {
    const processes = page.getByTestId('processes')
    await processes.scrollIntoViewIfNeeded()
    const grid = processes.getByRole('grid')
    await expect.poll(async () => Number(await grid.getAttribute('aria-rowcount'))).toBeGreaterThan(40)
    expect(await grid.getByRole('row').count()).toBeLessThan(40)
  })

  test('say that a filter finds nothing', async ({ page }) => {
    await page.getByTestId('processes').scrollIntoViewIfNeeded()
    await page.getByRole('searchbox', { name: 'Filter processes' }).fill('no such thing anywhere')
    await expect(page.getByTestId('processes')).toContainText('contains “no such thing anywhere”')
  })

  test('count connections by state when asked, and not before', async ({ page }) => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const connections = page.getByTestId('connections')
      await expect(connections).toContainText('Not counted yet')
      await page.getByRole('button', { name: 'Count now' }).click()
      await expect(connections).toContainText(/listen/i)
    } finally {
      server.close()
    }
  })

  test('show space and inodes of the root filesystem', async ({ page }) => {
    const filesystems = page.getByRole('region', { name: 'Filesystems, table' })
    await filesystems.scrollIntoViewIfNeeded()
    const space = filesystems.getByRole('meter', { name: /^Space of/ }).first()
    await expect(space).toHaveAttribute('aria-valuetext', /^[\d.]+%$/)
    expect(Number(await space.getAttribute('aria-valuenow'))).toBeLessThanOrEqual(100)
  })

  test('show every series in the data quality, with all it can find', async ({ page }) => {
    await page.getByTestId('quality').scrollIntoViewIfNeeded()
    await page.getByRole('checkbox', { name: 'all series' }).check()
    const grid = page.getByRole('grid', { name: 'Data quality by series' })
    await expect(grid.getByRole('row').filter({ hasText: 'cpu.busy' })).toBeVisible()
    await page.getByRole('searchbox', { name: 'Filter series' }).fill('load.15m')
    await expect(grid.getByRole('row')).toHaveCount(2)
    await expect(grid.getByRole('row').nth(1)).toContainText('fresh')
  })

  test('say when a host is not known', async ({ app, page }) => {
    await app.visit('/host/no-such-host')
    await expect(page.getByText('Host not found')).toBeVisible()
  })
})

test('axe finds nothing on the Host screen, with everything open, in both themes', async ({ app, page }) => {
  // The largest page there is, looked through twice.
  test.slow()
  await app.visit('/host/local?pid=1')
  await page.getByTestId('processes').scrollIntoViewIfNeeded()
  await expect(page.getByTestId('process-detail')).toContainText('of one core')
  await page.getByTestId('quality').scrollIntoViewIfNeeded()
  await page.getByRole('button', { name: 'Load as table' }).click()
  await inBothThemes(page, async () => {
    expect(await findings(page)).toEqual([])
  })
})
