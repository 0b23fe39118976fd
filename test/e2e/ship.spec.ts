import { test as base, expect } from '@playwright/test'
import { join } from 'node:path'
import { Shoppers, Steered } from '../ports/deployments/steered.ts'
import { until } from '../support/until.ts'
import { shellKind } from './shells/shell.ts'

/** Real releases of a real service under real traffic, seen and steered on the screens. */
const test = base.extend<{ steered: Steered }>({
  steered: async ({ browser: _browser }, use) => {
    await using steered = await Steered.start(join(import.meta.dirname, '../../dist/renderer'))
    await steered.ended((await steered.deploy('r1')).id)
    await use(steered)
  },
})
test.skip(shellKind !== 'headless', 'the desktop shell steers services of its own')

test('a bad release is seen to be rolled back by itself, with the reason in figures', async ({
  steered,
  page,
}) => {
  const shoppers = new Shoppers(steered.address)
  const { id } = await steered.deploy('r3')
  await page.goto(await steered.launchUrl())
  await page.goto(new URL(`/deployments/${id}`, page.url()).href)
  await expect(page.getByText(/r3 fails \d+% of (\d+ )?requests \(stable r1: 0%/).first()).toBeVisible()
  await expect(page.getByText('rolled back', { exact: true }).first()).toBeVisible()
  expect(await shoppers.stop()).toEqual([])
})

test('an emergency rollback by keyboard alone moves all traffic back, verified at the router', async ({
  steered,
  page,
}) => {
  const shoppers = new Shoppers(steered.address)
  await page.goto(await steered.launchUrl())
  await expect(page.getByTestId('liveness')).toHaveAttribute('data-kind', 'live')
  const { id } = await steered.deploy('r2')
  await steered.deployment(id, 'has traffic', ({ phase, weight }) => phase === 'stepping' && weight === 30)
  await until('r2 is asked', () => shoppers.answersOf('r2') > 0 || undefined)
  await page.keyboard.press('Control+e')
  const panel = page.getByTestId('rollback-panel')
  await panel.getByRole('button', { name: /^Roll back shop: r2 → r1/ }).focus()
  await page.keyboard.press('Enter')
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('rollback-progress')).toContainText('verified')
  expect((await steered.ended(id)).phase).toBe('rolled_back')
  expect((await steered.service())?.weights).toMatchObject({ r1: 100 })
  expect(await shoppers.stop()).toEqual([])
})

test('a canary goes on after its engine was killed with the screen open', async ({ steered, page }) => {
  await page.goto(await steered.launchUrl())
  await expect(page.getByTestId('liveness')).toHaveAttribute('data-kind', 'live')
  const shoppers = new Shoppers(steered.address)
  const { id } = await steered.deploy('r2')
  await steered.deployment(id, 'has traffic', ({ phase }) => phase === 'stepping')
  await steered.killEngine()
  await expect(page.getByTestId('liveness')).not.toHaveAttribute('data-kind', 'live')
  await steered.startEngine()
  expect((await steered.ended(id)).phase).toBe('promoted')
  await page.goto(await steered.launchUrl())
  await page.goto(new URL('/services', page.url()).href)
  await expect(page.getByText('r2').first()).toBeVisible()
  expect(await shoppers.stop()).toEqual([])
})
