import { expect, test } from '@playwright/test'
import { join } from 'node:path'
import { shop, Steered } from '../ports/deployments/steered.ts'
import { findings, inBothThemes } from './accessibility.ts'
import { shellKind } from './shells/shell.ts'

test.skip(shellKind !== 'headless', 'the desktop shell steers services of its own')

test('a newcomer adds a first service on the screen, deploys its first release, and removes it again', async ({
  page,
}) => {
  await using steered = await Steered.start(join(import.meta.dirname, '../../dist/renderer'), true)
  await page.goto(await steered.launchUrl())
  await page.getByRole('link', { name: 'Add a service…' }).click()
  const form = page.getByTestId('add-service')
  const field = (name: string) => form.getByRole('textbox', { name, exact: true })
  const add = form.getByRole('button', { name: 'Add and deploy' })

  await field('Name').fill('my cart')
  await add.click()
  await expect(form.getByText('Letters, digits, dots, dashes')).toBeVisible()
  await expect(form.getByText('Enter a command')).toBeVisible()
  await inBothThemes(page, async () => expect(await findings(page)).toEqual([]))
  await page.setViewportSize({ width: 400, height: 800 })
  expect(await findings(page)).toEqual([])
  await page.setViewportSize({ width: 1280, height: 800 })

  await field('Name').fill('cart')
  await field('Start command').fill(`${process.execPath} ${shop}`)
  await field('Directory (optional)').fill('/no/such/directory')
  await field('Port for clients').fill('')
  await field('Health path').fill('/health')
  await add.click()
  const dialog = page.getByTestId('new-deployment')
  await dialog.getByRole('button', { name: 'Show plan and checks' }).click()
  await expect(dialog).toContainText('The working directory /no/such/directory of r1 does not exist')
  await dialog.getByRole('button', { name: 'Back' }).click()

  // A release never changes: the next one is right.
  await steered.call('/services/cart/releases', {
    service: 'cart',
    id: 'r2',
    artifact: { kind: 'command', argv: [process.execPath, shop] },
  })
  await page.goto(new URL('/deployments?new=1&of=cart&release=r2', page.url()).href)
  await dialog.getByRole('button', { name: 'Show plan and checks' }).click()
  await expect(dialog).toContainText('r2 is its first release; it gets 100')
  await dialog.getByRole('button', { name: 'Deploy cart: r2 (first release)' }).click()
  await expect(page.getByTestId('phase')).toHaveAttribute('data-phase', 'promoted')
  const [cart] = await steered.call<{ address: string }[]>('/services')
  expect(await (await fetch(cart?.address ?? '')).text()).toBe('r2')

  await page.goto(new URL('/services/cart', page.url()).href)
  await page.getByRole('button', { name: 'Remove…' }).click()
  const removal = page.getByRole('dialog', { name: 'Remove cart' })
  await removal.getByRole('button', { name: 'Remove cart' }).click()
  await expect(page.getByText('No services yet')).toBeVisible()
})
