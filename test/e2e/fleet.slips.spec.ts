import type { Page } from '@playwright/test'
import { expect, test } from './scripted.ts'
import { shellKind } from './shells/shell.ts'

/** What tired hands do: they click twice, drag too far, close too early, and change their mind meanwhile. */
test.skip(shellKind !== 'headless', 'the scripted server is a headless one')

const show = async (page: Page, path: string) => {
  await page.goto(new URL(path, page.url()).href)
  await expect(page.getByTestId('liveness')).toHaveAttribute('data-kind', 'live')
}

test('a double click opens the rollback panel, and text may be marked beyond its edge', async ({ shown }) => {
  await shown.getByRole('button', { name: /^Emergency rollback/ }).dblclick()
  const panel = shown.getByTestId('rollback-panel')
  await expect(panel).toBeVisible()
  const why = panel.getByRole('textbox', { name: /^Why/ })
  await why.fill('checkout fails')
  const box = await why.boundingBox()
  if (!box) throw new Error('the field has no place')
  await shown.mouse.move(box.x + 90, box.y + box.height / 2)
  await shown.mouse.down()
  await shown.mouse.move(20, box.y + box.height / 2)
  await shown.mouse.up()
  await expect(why).toHaveValue('checkout fails')
  await shown.mouse.click(20, 400)
  await expect(panel).toBeHidden()
})

test('keys of the screen below an open window do nothing', async ({ shown }) => {
  await show(shown, '/host/local')
  await shown.getByRole('button', { name: 'Pause', exact: true }).click()
  await expect(shown.getByTestId('time-mode')).toHaveAttribute('data-mode', 'paused')
  await shown.keyboard.press('Control+e')
  const radios = shown.getByTestId('rollback-panel').getByRole('radio')
  await radios.first().focus()
  await shown.keyboard.press('ArrowRight')
  await expect(radios.nth(1)).toBeChecked()
  for (const key of ['p', 'g', 'o', 'Escape']) await shown.keyboard.press(key)
  await expect(shown.getByTestId('rollback-panel')).toBeHidden()
  await expect(shown).toHaveURL(/\/host\/local.*paused=1/)
})

test('what the palette is asked for below it takes the focus', async ({ shown }) => {
  await show(shown, '/settings/config')
  await expect(shown.getByRole('searchbox')).toBeVisible()
  await shown.keyboard.press('Control+k')
  await shown.getByRole('combobox', { name: 'Search or run a command' }).fill('filter this view')
  await shown.keyboard.press('Enter')
  await expect(shown.getByRole('searchbox')).toBeFocused()
})

test('an order to roll back that fails is told also to who closed the panel at once', async ({
  shown,
  fleet,
}) => {
  const release = fleet.holdRollbacks()
  fleet.failRollback('checkout', 'The router did not answer.')
  await shown.keyboard.press('Control+e')
  const panel = shown.getByTestId('rollback-panel')
  await panel.getByRole('radio', { name: /checkout/ }).check()
  await panel.getByRole('button', { name: /^Roll back checkout/ }).focus()
  for (const key of ['Enter', 'Enter']) await shown.keyboard.press(key)
  await expect(shown.getByTestId('rollback-progress')).toBeVisible()
  await shown.keyboard.press('Escape')
  await expect(shown.getByTestId('rollback-words')).toHaveText('Rolling back…')
  release()
  await expect(shown.getByTestId('rollback-words')).toHaveText('Rollback not verified')
  await shown.getByRole('button', { name: /^Rollback not verified/ }).click()
  await expect(shown.getByTestId('rollback-progress')).toContainText('The router did not answer.')
  await shown.keyboard.press('Escape')
  await expect(shown.getByTestId('rollback-words')).toHaveText(/^Emergency\s+rollback$/)
})

test('a double click on Pause pauses, and the keyboard stays where the button was', async ({
  shown,
  fleet,
}) => {
  await show(shown, '/deployments/checkout-43')
  await shown.getByRole('button', { name: 'Pause' }).click({ clickCount: 2, delay: 100 })
  await expect(shown.getByRole('button', { name: 'Resume' })).toBeVisible()
  expect(fleet.deployment('checkout-43').phase).toBe('paused')
  await shown.getByRole('button', { name: 'Resume' }).focus()
  await shown.keyboard.press('Enter')
  await expect(shown.getByRole('button', { name: 'Pause' })).toBeVisible()
  await expect(shown.getByRole('group', { name: 'Deployment actions' })).toBeFocused()
})

test('a release that the address names can be rehearsed once the engine has listed it', async ({
  shown,
  fleet,
}) => {
  const answer = fleet.holdReleases()
  await show(shown, '/deployments?new=1&of=checkout&release=r44')
  const rehearse = shown.getByTestId('new-deployment').getByRole('button', { name: 'Show plan and checks' })
  await expect(rehearse).toBeDisabled()
  answer()
  await rehearse.click()
  await expect(shown.getByRole('button', { name: 'Deploy checkout: r42 → r44' })).toBeVisible()
})

test('plan and checks of one release are never shown for another that was chosen meanwhile', async ({
  shown,
  fleet,
}) => {
  const release = fleet.holdRehearsals()
  const opened = shown.waitForEvent('websocket', (socket) => socket.url().endsWith('/api/calls'))
  await show(shown, '/deployments?new=1&of=checkout&release=r44')
  const calls = await opened
  const dialog = shown.getByTestId('new-deployment')
  await expect(dialog.getByRole('combobox', { name: /^Release/ })).toHaveValue('r44')
  await dialog.getByRole('button', { name: 'Show plan and checks' }).click()
  await expect(dialog.getByRole('button', { name: 'Running checks…' })).toBeDisabled()
  await dialog.getByRole('combobox', { name: /^Release/ }).selectOption('r41')
  const answered = calls.waitForEvent('framereceived', ({ payload }) => payload.includes('Answers in 480'))
  release()
  await answered
  await shown.evaluate(
    () => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))),
  )
  await expect(dialog.getByRole('button', { name: 'Show plan and checks' })).toBeEnabled()
  await expect(dialog.getByTestId('checks')).toHaveCount(0)
  await dialog.getByRole('button', { name: 'Show plan and checks' }).click()
  await expect(dialog.getByRole('button', { name: 'Deploy checkout: r42 → r41' })).toBeVisible()
})

test('log lines of a release that has gone can be left for those of all, and pausing them pauses nothing else', async ({
  shown,
}) => {
  await show(shown, '/services/checkout?release=r17')
  await shown.getByRole('combobox', { name: 'Release to show logs of' }).selectOption('')
  await expect(shown).not.toHaveURL(/release=/)
  await shown.getByRole('button', { name: 'Pause' }).click()
  await expect(shown.getByRole('button', { name: 'Resume' })).toBeVisible()
  await expect(shown.getByTestId('liveness')).toHaveAttribute('data-kind', 'live')
})

test('the title of the window shows a service that is worse than the hosts', async ({ shown, fleet }) => {
  await expect(shown).toHaveTitle('◆ Overview · Pilothouse')
  fleet.putService('search', { instances: [], weights: {}, trouble: '', stableReleaseId: null })
  await expect(shown).not.toHaveTitle(/^◆/)
})

test('the way back stays within reach on a narrow screen, whatever else the bar has to say', async ({
  shown,
  fleet,
}) => {
  const button = shown.getByRole('button', { name: /rollback/ })
  const isInReach = async () => {
    for (const width of [360, 400, 700, 900]) {
      await shown.setViewportSize({ width, height: 740 })
      await expect(button).toBeInViewport({ ratio: 1 })
    }
  }
  await isInReach()
  await fleet[Symbol.asyncDispose]()
  await expect(shown.getByTestId('engine-lost')).toBeVisible()
  await isInReach()
})
