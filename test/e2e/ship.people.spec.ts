import { test as base, expect, type Page } from '@playwright/test'
import { join } from 'node:path'
import { Shoppers, Steered } from '../ports/deployments/steered.ts'
import { until } from '../support/until.ts'
import { shellKind } from './shells/shell.ts'

/** What people do to real releases of a real service under real traffic, by the controls of the screens. */
const test = base.extend<{ steered: Steered; shown: Page }>({
  steered: async ({ browser: _browser }, use) => {
    await using steered = await Steered.start(join(import.meta.dirname, '../../dist/renderer'))
    await steered.ended((await steered.deploy('r1')).id)
    await use(steered)
  },
  shown: async ({ steered, page }, use) => {
    await open(page, steered)
    await use(page)
  },
})
test.skip(shellKind !== 'headless', 'the desktop shell steers services of its own')

/** Stays in its step until somebody does something. */
const patient = { weight: 30, holdMs: 600_000 }

async function open(page: Page, steered: Steered) {
  await page.goto(await steered.launchUrl())
  await expect(page.getByTestId('liveness')).toHaveAttribute('data-kind', 'live')
}
const show = (page: Page, path: string) => page.goto(new URL(path, page.url()).href)
const phase = (page: Page) => page.getByTestId('phase')

/** Orders what has to be confirmed, with a reason. */
async function order(page: Page, button: string, why: string) {
  await page.getByRole('button', { name: `${button}…` }).click()
  const dialog = page.getByRole('dialog', { name: button })
  await dialog.getByRole('textbox', { name: /^Why/ }).fill(why)
  await dialog.getByRole('button', { name: button }).click()
}

test('a good release is deployed from the dialog to its end, found in the history, compared, and undone', async ({
  steered,
  shown,
}) => {
  const shoppers = new Shoppers(steered.address)
  await show(shown, '/services/shop')
  await shown.getByRole('link', { name: 'Deploy r2' }).click()
  const dialog = shown.getByTestId('new-deployment')
  await dialog.getByRole('textbox', { name: /^Why/ }).fill('winter sale')
  await dialog.getByText('Duration, limits and outcomes').click()
  await dialog.getByRole('spinbutton', { name: 'Maximum duration' }).fill('45')
  await dialog.getByRole('button', { name: 'Show plan and checks' }).click()
  await expect(dialog.getByTestId('checks')).toContainText('The router answers.')
  await expect(dialog.getByTestId('plan')).toContainText(/30%/)
  await expect(dialog.getByText(/45\smin/)).toBeVisible()
  expect(await steered.service()).toMatchObject({ weights: { r1: 100 }, candidateReleaseId: null })
  await dialog.getByRole('button', { name: 'Deploy shop: r1 → r2' }).click()
  await expect(shown).toHaveURL(/\/deployments\/d-/)
  await expect(phase(shown)).toHaveAttribute('data-phase', 'promoted')
  const log = shown.getByTestId('decision-log')
  await expect(log).toContainText('The router sends r2 30% of requests, verified')
  await expect(log).toContainText('r2 stays within every limit')
  expect(await steered.service()).toMatchObject({ stableReleaseId: 'r2', weights: { r2: 100 } })

  await show(shown, '/deployments?q=winter')
  const rows = shown.getByTestId('history').getByRole('row')
  await expect(rows).toHaveCount(2)
  await expect(rows.nth(1)).toContainText('r1 → r2')
  await shown.getByRole('combobox', { name: 'Outcome' }).selectOption('rolled back')
  await expect(shown.getByText('No deployments match these filters.')).toBeVisible()
  await shown.getByRole('combobox', { name: 'Outcome' }).selectOption('promoted')
  await rows.nth(1).focus()
  await shown.keyboard.press('Enter')
  await expect(phase(shown)).toHaveAttribute('data-phase', 'promoted')

  await show(shown, '/services/shop?from=r1&to=r3')
  await expect(shown.getByTestId('comparison').getByRole('row', { name: /ERRORS/ })).toContainText('0.34')

  await show(shown, '/deployments?q=winter')
  await rows.nth(1).click()
  await shown.getByRole('button', { name: 'Undo: return to r1' }).click()
  const undo = shown.getByRole('dialog', { name: 'Undo: return to r1' })
  await expect(undo).toContainText('it gets all traffic from r2')
  await undo.getByRole('button', { name: 'Undo: return to r1' }).click()
  await expect(shown.getByRole('heading', { level: 1 })).toContainText('r2 → r1')
  await expect(phase(shown)).toHaveAttribute('data-phase', 'promoted')
  expect(await steered.service()).toMatchObject({ stableReleaseId: 'r1', weights: { r1: 100 } })
  expect(await shoppers.stop()).toEqual([])
})

test('a canary is paused, resumed, promoted early and, the next time, taken back, each by its control', async ({
  steered,
  shown,
}) => {
  const shoppers = new Shoppers(steered.address)
  const { id } = await steered.deploy('r2', patient)
  await show(shown, `/deployments/${id}`)
  await expect(phase(shown)).toHaveAttribute('data-phase', 'stepping')
  // Judgements show as they are made, though nothing else of the deployment changes.
  await expect(shown.getByTestId('judgement')).toContainText('r2 stays within every limit')
  await shown.getByRole('button', { name: 'Pause' }).click()
  await expect(phase(shown)).toHaveAttribute('data-phase', 'paused')
  await shown.getByRole('button', { name: 'Resume' }).click()
  await expect(phase(shown)).toHaveAttribute('data-phase', 'stepping')
  await order(shown, 'Promote r2', 'seen enough')
  await expect(phase(shown)).toHaveAttribute('data-phase', 'promoted')
  expect(await steered.service()).toMatchObject({ stableReleaseId: 'r2', weights: { r2: 100 } })

  const back = await steered.deploy('r1', patient)
  await show(shown, `/deployments/${back.id}`)
  await expect(phase(shown)).toHaveAttribute('data-phase', 'stepping')
  await order(shown, 'Roll back to r2', 'wrong release')
  await expect(phase(shown)).toHaveAttribute('data-phase', 'rolled_back')
  await expect(shown.getByTestId('decision-log')).toContainText('wrong release')
  expect(await steered.service()).toMatchObject({ stableReleaseId: 'r2', weights: { r2: 100 } })
  await show(shown, '/activity')
  await expect(shown.getByTestId('audit')).toContainText('seen enough')
  await shown.getByRole('button', { name: 'Verify the chain' }).click()
  await expect(shown.getByTestId('audit-verdict')).toContainText('entries, chain intact')
  expect(await shoppers.stop()).toEqual([])
})

test('two people see at once what the other does, and neither undoes it unknowingly', async ({
  steered,
  shown: jon,
  browser,
}) => {
  const shoppers = new Shoppers(steered.address)
  const ada = await (await browser.newContext()).newPage()
  await open(ada, steered)
  const { id } = await steered.deploy('r2', patient)
  for (const page of [jon, ada]) {
    await show(page, `/deployments/${id}`)
    await expect(phase(page)).toHaveAttribute('data-phase', 'stepping')
  }
  await ada.getByRole('button', { name: 'Promote r2…' }).click()
  await jon.getByRole('button', { name: 'Pause' }).click()
  await expect(phase(jon)).toHaveAttribute('data-phase', 'paused')
  const dialog = ada.getByRole('dialog', { name: 'Promote r2' })
  await expect(dialog).toContainText('The deployment has changed since you opened this')
  await dialog.getByRole('button', { name: 'Promote r2' }).click()
  await expect(ada.getByRole('alert')).toContainText('Not done: local acted first')
  await expect(phase(ada)).toHaveAttribute('data-phase', 'paused')
  expect(await steered.service()).toMatchObject({ weights: { r1: 70, r2: 30 } })

  // The emergency is nobody's to refuse: by pointer, and the other sees it and lets automation go on.
  await jon.keyboard.press('Control+e')
  const panel = jon.getByTestId('rollback-panel')
  await panel.getByRole('button', { name: /^Roll back shop: r2 → r1/ }).hover()
  await jon.mouse.down()
  await expect(jon.getByTestId('rollback-progress')).toBeVisible()
  await jon.mouse.up()
  await expect(jon.getByTestId('rollback-progress')).toContainText('verified')
  await expect(phase(ada)).toHaveAttribute('data-phase', 'rolled_back')
  await show(ada, '/services/shop')
  await expect(ada.getByText('Automation is stopped')).toBeVisible()
  await ada.getByRole('button', { name: 'Resume…' }).click()
  await ada.getByRole('button', { name: 'Resume automation on shop' }).click()
  await expect(ada.getByText('Automation is stopped')).toBeHidden()
  expect(await steered.service()).toMatchObject({ automationStopped: null, weights: { r1: 100 } })
  await ada.context().close()
  expect(await shoppers.stop()).toEqual([])
})

test('an emergency rollback from the command line shows at once on an open screen', async ({
  steered,
  shown,
}) => {
  const shoppers = new Shoppers(steered.address)
  const { id } = await steered.deploy('r2', patient)
  await show(shown, `/deployments/${id}`)
  await expect(phase(shown)).toHaveAttribute('data-phase', 'stepping')
  await until('r2 is asked', () => shoppers.answersOf('r2') > 0 || undefined)
  const { code, stdout } = await steered.command('rollback', 'shop', '--why', 'pager')
  expect(stdout).toContain('All traffic of shop goes to r1, verified')
  expect(code).toBe(0)
  await expect(phase(shown)).toHaveAttribute('data-phase', 'rolled_back')
  await expect(shown.getByTestId('decision-log')).toContainText('pager')
  expect(await shoppers.stop()).toEqual([])
})

test('a canary that nobody visits is not judged: it waits for a person and says why', async ({
  steered,
  shown,
}) => {
  const { id } = await steered.deploy('r2', { weight: 30, holdMs: 2000 })
  await show(shown, `/deployments/${id}`)
  await expect(phase(shown)).toHaveAttribute('data-phase', 'paused')
  await expect(phase(shown)).toContainText(/no (traffic|requests)|too few|request/i)
  expect(await steered.service()).toMatchObject({ stableReleaseId: 'r1', weights: { r1: 70, r2: 30 } })
  await show(shown, '/overview')
  await expect(shown.getByTestId('needs')).toContainText('r2 is paused at 30%')
  await expect(shown.getByTestId('card-cpu').locator('line.moment')).not.toHaveCount(0)
})
