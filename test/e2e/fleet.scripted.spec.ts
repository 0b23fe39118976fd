import type { Page } from '@playwright/test'
import { findings, inBothThemes, themes } from './accessibility.ts'
import { expect, test } from './scripted.ts'
import { shellKind } from './shells/shell.ts'
import { person } from '../support/person.ts'

test.skip(shellKind !== 'headless', 'the scripted server is a headless one')

const show = (page: Page, path: string) => page.goto(new URL(path, page.url()).href)
const openRollback = async (page: Page) => {
  await page.keyboard.press('Control+e')
  return page.getByTestId('rollback-panel')
}

test.describe('emergency rollback', () => {
  test('names every service with both releases, and does nothing on a click', async ({ shown, fleet }) => {
    const panel = await openRollback(shown)
    await expect(panel).toContainText('r43 → r42')
    await expect(panel).toContainText('r19 → r18')
    await panel.getByRole('button', { name: 'Roll back 2 services' }).click()
    await expect(panel.getByText('Not sent. Hold for a second')).toBeVisible()
    expect(fleet.rollbacks).toEqual([])
  })

  test('goes back when a pointer holds, and shows as verified only what the engine has read back', async ({
    shown,
    fleet,
  }) => {
    const release = fleet.holdRollbacks()
    const panel = await openRollback(shown)
    await panel.getByRole('radio', { name: /checkout/ }).check()
    await panel.getByRole('button', { name: 'Roll back checkout: r43 → r42' }).hover()
    await shown.mouse.down()
    await expect(shown.getByTestId('rollback-progress')).toBeVisible()
    await shown.mouse.up()
    const line = shown.getByTestId('rollback-progress').getByRole('listitem')
    await expect(line).toContainText('accepted by the engine')
    await expect(line).not.toContainText('verified')
    release()
    await expect(line).toContainText('verified at the router after 84')
    expect(fleet.rollbacks).toEqual([['checkout']])
  })

  test('goes back by keyboard alone: Enter arms and says so, a second Enter orders it for all', async ({
    shown,
    fleet,
  }) => {
    fleet.failRollback('search', 'The router did not answer.')
    const panel = await openRollback(shown)
    // The focus is there from the beginning.
    await expect(panel.getByRole('button', { name: /^Roll back 2/ })).toBeFocused()
    await shown.keyboard.press('Enter')
    await expect(panel.getByText('Armed for 5 seconds')).toBeAttached()
    expect(fleet.rollbacks).toEqual([])
    await shown.keyboard.press('Enter')
    const progress = shown.getByTestId('rollback-progress')
    await expect(progress.getByRole('listitem').filter({ hasText: 'checkout' })).toContainText('verified')
    const failed = progress.getByRole('listitem').filter({ hasText: 'search' })
    await expect(failed).toContainText('The router did not answer.')
    await expect(failed).toContainText('Try again')
    await expect(panel.getByTestId('command-way')).toContainText('pilothouse rollback --all')
    expect(fleet.rollbacks).toEqual([undefined])
  })

  test('stays usable while the engine is gone: it says how old it is, and names the command that still works', async ({
    shown,
    fleet,
  }) => {
    const panel = await openRollback(shown)
    await expect(panel).toContainText('r43 → r42')
    await expect(panel.getByTestId('command-way')).toBeHidden()
    await fleet[Symbol.asyncDispose]()
    await expect(panel.getByTestId('rollback-age')).toContainText(
      /The engine cannot be reached.*ago, at \d\d:\d\d:\d\d.*cannot be sent now/s,
    )
    await expect(panel).toContainText('r43 → r42')
    await expect(panel.getByTestId('command-way')).toContainText(
      'pilothouse rollback --all --data-dir /var/lib/pilothouse/scripted',
    )
    await panel.getByRole('radio', { name: /checkout/ }).check()
    await expect(panel.getByTestId('command-way')).toContainText('pilothouse rollback checkout')
    await inBothThemes(shown, async () => expect(await findings(shown)).toEqual([]))
    // No order can be sent: the form would only take time from who reads it.
    await expect(panel.getByRole('button', { name: /^Roll back/ })).toBeHidden()
  })

  test('offers a promoted service, too, and says how it goes back and how long that takes', async ({
    shown,
    fleet,
  }) => {
    const before = { from: 'r7', to: 'r6', weight: 100, deploymentId: null }
    const warm = 'r7 is promoted and r6 still runs: traffic returns at once'
    const cold = 'r6 has stopped: an undo starts it first, about 8 s'
    fleet.putService('payments', { wayBack: { ...before, kind: 'warm', text: warm } })
    fleet.putService('catalogue', { wayBack: { ...before, kind: 'undo', text: cold } })
    const panel = await openRollback(shown)
    await expect(panel.getByRole('group', { name: /^Immediate/ })).toContainText(warm)
    await expect(panel.getByRole('group', { name: /^Undo a promotion/ })).toContainText(cold)
    await expect(panel.getByRole('button', { name: 'Roll back 3 services' })).toBeFocused()
    await panel.getByRole('radio', { name: /catalogue/ }).check()
    const button = panel.getByRole('button', { name: 'Undo catalogue: r7 → r6' })
    await inBothThemes(shown, async () => expect(await findings(shown)).toEqual([]))
    await button.focus()
    for (const key of ['Enter', 'Enter']) await shown.keyboard.press(key)
    // This engine refuses every undo: the panel shows why, and ordered no emergency.
    await expect(shown.getByTestId('rollback-progress')).toContainText('r41 never became healthy.')
    expect(fleet.rollbacks).toEqual([])
  })

  test('keeps the focus on its button when another service joins, and wants both presses again', async ({
    shown,
    fleet,
  }) => {
    const panel = await openRollback(shown)
    await expect(panel.getByRole('button', { name: 'Roll back 2 services' })).toBeFocused()
    await shown.keyboard.press('Enter')
    await expect(panel.getByText('Armed for 5 seconds')).toBeAttached()
    const wayBack = { kind: 'warm', from: 'r7', to: 'r6', weight: 100, deploymentId: null } as const
    fleet.putService('payments', { wayBack: { ...wayBack, text: 'r6 still runs' } })
    await expect(panel.getByRole('button', { name: /^Roll back 3 services/ })).toBeFocused()
    await expect(panel.getByText('Armed for 5 seconds')).toHaveCount(0)
    expect(fleet.rollbacks).toEqual([])
  })

  test('has its word on a phone', async ({ shown }) => {
    await shown.setViewportSize({ width: 390, height: 844 })
    const button = shown.getByRole('button', { name: /rollback/ })
    await expect(button.getByText('rollback')).toBeInViewport({ ratio: 1 })
    expect((await button.getByText('rollback').boundingBox())?.width).toBeGreaterThan(30)
    await expect(button).toBeInViewport({ ratio: 1 })
  })

  test.describe('in production', () => {
    test.use({ settings: { environment: 'production' } })

    test('waits for the word that names what goes back', async ({ shown, fleet }) => {
      const panel = await openRollback(shown)
      const button = panel.getByRole('button', { name: /Roll back 2 services/ })
      await button.focus()
      for (const key of ['Enter', 'Enter']) await shown.keyboard.press(key)
      await expect(button).toHaveAttribute('aria-disabled', 'true')
      expect(fleet.rollbacks).toEqual([])
      await expect(button).toHaveAccessibleDescription('Type ALL to confirm.')
      await panel.getByRole('textbox', { name: /Type ALL to confirm/ }).fill('all ')
      await expect(button).toHaveAccessibleDescription(/^Hold for a second/)
      await button.focus()
      for (const key of ['Enter', 'Enter']) await shown.keyboard.press(key)
      await expect(shown.getByTestId('rollback-progress')).toContainText('verified')
    })
  })

  test.describe('with nothing in canary', () => {
    test.use({ settings: { isEmpty: true } })

    test('says that there is nothing to roll back, and the screens say how to begin', async ({ shown }) => {
      await expect(await openRollback(shown)).toContainText('There is nothing to roll back.')
      await shown.keyboard.press('Escape')
      await show(shown, '/services')
      await expect(shown.getByText('No services yet', { exact: true })).toBeVisible()
      await expect(shown.getByText('pilothouse demo')).toBeVisible()
    })
  })
})

test.describe('a running deployment', () => {
  test('shows what the judge says, the lines of both releases, and each step of the plan', async ({
    shown,
  }) => {
    await show(shown, '/deployments/checkout-43')
    await expect(shown.getByTestId('judgement')).toContainText('r43 fails more often than r42')
    const errors = shown.getByTestId('bins-errors').getByRole('img')
    await expect(errors).toHaveAttribute('aria-label', /r42 is [\d.]+%.*r43 is [\d.]+%/)
    await expect(shown.getByRole('listitem').filter({ hasText: /10%, now/ })).toContainText('of 5:00')
  })

  test('asks before it is dangerous, with target and effect, and does what was said', async ({
    shown,
    fleet,
  }) => {
    await show(shown, '/deployments/checkout-43')
    await shown.getByRole('button', { name: 'Roll back to r42…' }).click()
    const dialog = shown.getByRole('dialog', { name: 'Roll back to r42' })
    await expect(dialog).toContainText('checkout: all traffic of r43 (10% now) returns to r42 at once')
    expect(fleet.deployment('checkout-43').phase).toBe('stepping')
    await dialog.getByRole('button', { name: 'Roll back to r42' }).click()
    await expect(shown.getByTestId('phase')).toHaveAttribute('data-phase', 'rolling_back')
  })

  test('does not undo what somebody else did meanwhile, and says who was first', async ({ shown, fleet }) => {
    await show(shown, '/deployments/checkout-43')
    await shown.getByRole('button', { name: 'Promote r43…' }).click()
    const { log } = fleet.deployment('checkout-43')
    const entry = {
      atMs: Date.now(),
      severity: 'warning' as const,
      actor: person('jon'),
      text: 'jon paused it',
    }
    fleet.putDeployment('checkout-43', { phase: 'paused', reason: 'jon paused it', log: [...log, entry] })
    const dialog = shown.getByRole('dialog', { name: 'Promote r43' })
    await expect(dialog).toContainText('The deployment has changed since you opened this: jon paused it')
    await dialog.getByRole('button', { name: 'Promote r43' }).click()
    await expect(shown.getByRole('alert')).toContainText(/Not done: jon acted first.*jon paused it/)
    expect(fleet.deployment('checkout-43').phase).toBe('paused')
  })

  test('is begun from a dialog that shows plan and checks first', async ({ shown }) => {
    await show(shown, '/services/checkout')
    await shown.getByRole('link', { name: 'Deploy r44' }).click()
    const dialog = shown.getByTestId('new-deployment')
    await dialog.getByRole('radio', { name: 'aggressive' }).check()
    await dialog.getByRole('button', { name: 'Show plan and checks' }).click()
    await expect(dialog.getByTestId('checks')).toContainText('Answers in 480 ms')
    await expect(dialog.getByTestId('plan')).toContainText(/25%/)
    await dialog.getByRole('button', { name: 'Deploy checkout: r42 → r44' }).click()
    await expect(shown).toHaveURL(/\/deployments\/checkout-r44/)
  })
})

test('the charts of a host mark a deployment, and Enter on its moment opens it', async ({ shown }) => {
  await show(shown, '/host/local')
  const chart = shown.getByRole('slider').first()
  const stretch = shown.getByTestId('stretch')
  await chart.focus()
  // From the newest moment back to the one at which it began, as a person does.
  for (let i = 0; i < 600 && !(await stretch.innerText()).includes('the deployment of r43 started'); i++)
    await shown.keyboard.press('ArrowLeft')
  await expect(stretch).toContainText('checkout: the deployment of r43 started')
  await expect(chart).toHaveAttribute('aria-valuetext', /the deployment of r43 started/)
  await shown.keyboard.press('Enter')
  await expect(shown).toHaveURL(/\/deployments\/checkout-43$/)
})

test('a service has charts of requests, errors and latency, from its router', async ({ shown }) => {
  await show(shown, '/services/checkout')
  for (const key of ['requests', 'errors', 'p95'])
    await expect(shown.getByTestId(`service-${key}`).getByRole('img')).toHaveAttribute(
      'aria-label',
      /checkout is [\d.]+/,
    )
})

test('a deployment that ended long ago keeps its charts, and the limit of its own plan', async ({
  shown,
  fleet,
}) => {
  const createdAtMs = Date.now() - 40 * 86_400_000
  const { plan } = fleet.deployment('checkout-43')
  fleet.putDeployment('checkout-43', {
    phase: 'rolled_back',
    createdAtMs,
    endedAtMs: createdAtMs + 600_000,
    plan: { ...plan, limits: { ...plan.limits, maxErrorRatio: 0.007 } },
  })
  fleet.putService('checkout', {
    stableReleaseId: 'r50',
    candidateReleaseId: null,
    deploymentId: null,
    weights: { r50: 100 },
    maxErrorRatio: 0.05,
  })
  await show(shown, '/deployments/checkout-43')
  const chartOf = (key: string) => shown.getByTestId(`bins-${key}`).getByRole('img')
  await expect(chartOf('errors')).toHaveAttribute(
    'aria-label',
    /^Errors, limit 0\.7\s?%.*r42 is [\d.]+.*r43 is [\d.]+/,
  )
  await expect(chartOf('p95')).toHaveAttribute('aria-label', /r42 is [\d.]+.*r43 is [\d.]+/)
  await expect(chartOf('requests')).toHaveAttribute('aria-label', /r42 is [\d.]+.*r43 is [\d.]+/)
})

test('an address without a page says so', async ({ shown }) => {
  await show(shown, '/nonsense')
  await expect(shown.getByText('There is no page at /nonsense')).toBeVisible()
  await shown.getByRole('link', { name: 'Open overview' }).click()
  await expect(shown.getByTestId('health')).toBeVisible()
})

test('a service that answers nothing never looks healthy, on any screen', async ({ shown, fleet }) => {
  for (const name of ['search', 'checkout', 'payments'])
    fleet.putService(name, {
      ...fleet.service('catalogue'),
      name,
      trouble: '',
      automationStopped: null,
    })
  await expect(shown.getByText('All hosts and services healthy')).toBeVisible()
  const { instances } = fleet.service('catalogue')
  fleet.putService('catalogue', {
    instances: instances.map((instance) => ({
      ...instance,
      state: 'unhealthy',
      reason: '/healthz answered 503',
    })),
    sli: { '': { ...fleet.service('catalogue').sli['']!, errorRatio: 1 } },
    failures: { requests: 975, errors: 975, windowMs: 10_000 },
  })
  await expect(shown.getByText('All hosts and services healthy')).toHaveCount(0)
  await expect(shown).toHaveTitle(/^◆ /)
  await expect(shown.getByTestId('health')).toHaveAttribute('data-severity', 'critical')
  await expect(shown.getByTestId('needs')).toContainText('catalogue: r7 has traffic but no healthy instance')
  await expect(shown.getByTestId('services').locator('tr[data-row]').first()).toContainText('catalogue')
  await show(shown, '/services')
  const row = shown.getByTestId('services').locator('tr[data-row]').first()
  await expect(row).toContainText('catalogue')
  await expect(row).toContainText('no healthy instance')
  await expect(row).toContainText('100')
  await expect(shown).toHaveTitle(/^◆ Services/)
  await show(shown, '/services/catalogue')
  await expect(shown.locator('main')).toContainText('r7 has traffic but no healthy instance')
  await expect(shown.getByRole('heading', { level: 1, name: 'critical catalogue' })).toBeVisible()
  await expect(shown).toHaveTitle(/^◆ catalogue/)
})

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 } })

  test('the way back has its word, and services come before the long panels', async ({ shown }) => {
    await expect(shown.getByRole('button', { name: /rollback/i })).toBeInViewport()
    await expect(shown.getByTestId('rollback-words')).toHaveText(/rollback/i)
    const topOf = async (id: string) => (await shown.getByTestId(id).first().boundingBox())?.y ?? Number.NaN
    await expect(shown.getByTestId('card-cpu')).toBeAttached()
    const services = await topOf('services')
    expect(await topOf('needs')).toBeLessThan(services)
    for (const long of ['running', 'card-cpu', 'notices']) expect(services).toBeLessThan(await topOf(long))
    const isCutOff = await shown.evaluate(() => {
      const main = document.querySelector('main')
      return !main || main.scrollWidth > main.clientWidth
    })
    expect(isCutOff).toBe(false)
  })
})

test.describe('by keyboard alone', () => {
  test('/ filters the list that has the focus', async ({ shown }) => {
    await shown.getByTestId('notices').focus()
    await shown.keyboard.press('/')
    await expect(shown.getByRole('searchbox', { name: 'Filter events' })).toBeFocused()
  })

  test('instances of a large service are filtered in place', async ({ shown, fleet }) => {
    const [first] = fleet.service('catalogue').instances
    fleet.putService('catalogue', {
      instances: Array.from({ length: 30 }, (_, n) => ({ ...first!, id: `catalogue-r7-${n + 1}` })),
    })
    await show(shown, '/services/catalogue')
    const rows = shown.getByRole('region', { name: 'Table of instances' }).locator('tbody tr')
    await expect(rows).toHaveCount(30)
    await shown.keyboard.press('j')
    await shown.keyboard.press('/')
    await shown.keyboard.type('r7-30')
    await expect(rows).toHaveCount(1)
    await expect(shown).toHaveURL(/instances=r7-30/)
  })

  test('j and k move through the lists, Enter opens, / filters', async ({ shown }) => {
    await show(shown, '/services')
    const rows = shown.getByTestId('services').locator('tbody tr[data-row]')
    await expect(rows.first()).toBeVisible()
    await shown.keyboard.press('j')
    await expect(rows.first()).toBeFocused()
    await shown.keyboard.press('j')
    await shown.keyboard.press('j')
    await shown.keyboard.press('k')
    await expect(rows.nth(1)).toBeFocused()
    await shown.keyboard.press('/')
    await shown.keyboard.type('catal')
    await expect(rows).toHaveCount(1)
    await shown.getByRole('searchbox', { name: 'Filter services' }).blur()
    await shown.keyboard.press('j')
    await shown.keyboard.press('Enter')
    await expect(shown).toHaveURL(/\/services\/catalogue$/)
  })

  test('the history moves with j and k, too', async ({ shown }) => {
    await show(shown, '/deployments')
    const rows = shown.getByTestId('history').getByRole('row')
    await rows.nth(1).focus()
    await shown.keyboard.press('j')
    await expect(rows.nth(2)).toBeFocused()
    await shown.keyboard.press('k')
    await shown.keyboard.press('Enter')
    await expect(shown).toHaveURL(/\/deployments\/checkout-43$/)
  })

  test('a deployment is paused and resumed by its keys, which stand beside the buttons and in the sheet', async ({
    shown,
    fleet,
  }) => {
    await show(shown, '/deployments/checkout-43')
    await expect(shown.getByRole('button', { name: 'Pause' })).toHaveAttribute('aria-keyshortcuts', 'p')
    await shown.keyboard.press('?')
    await expect(shown.getByRole('region', { name: 'All shortcuts' })).toContainText('Pause (checkout)')
    await shown.keyboard.press('Escape')
    await shown.keyboard.press('p')
    await expect(shown.getByTestId('phase')).toHaveAttribute('data-phase', 'paused')
    await shown.keyboard.press('r')
    await expect(shown.getByTestId('phase')).toHaveAttribute('data-phase', 'stepping')
    await shown.keyboard.press('b')
    await expect(shown.getByRole('dialog', { name: 'Roll back to r42' })).toBeVisible()
    expect(fleet.deployment('checkout-43').phase).toBe('stepping')
  })

  test('the palette goes to a release and a setting by a few letters', async ({ shown }) => {
    await show(shown, '/overview')
    await shown.keyboard.press('Control+k')
    await shown.keyboard.type('chkout r43 rel')
    await expect(shown.getByRole('option', { name: 'Release r43 of checkout' })).toBeVisible()
    await shown.keyboard.press('Enter')
    await expect(shown).toHaveURL(/\/services\/checkout#releases$/)
  })
})

test.describe('with fifty services', () => {
  test.use({ settings: { busyServiceCount: 46 } })

  test('each is a row, worst first, and all fit two screens', async ({ shown }) => {
    await shown.setViewportSize({ width: 1440, height: 900 })
    await show(shown, '/services')
    const rows = shown.getByTestId('services').locator('tbody tr[data-row]')
    await expect(rows).toHaveCount(50)
    await expect(rows.first()).toContainText('search')
    await expect(rows.nth(3)).toContainText('busy-01')
    const height = await shown.getByTestId('services').evaluate((table) => table.clientHeight)
    expect(height).toBeLessThan(1600)
  })

  test('the overview shows them above the figures of hosts', async ({ shown }) => {
    const topOf = async (id: string) => (await shown.getByTestId(id).first().boundingBox())?.y ?? Number.NaN
    await expect(shown.getByTestId('card-cpu')).toBeAttached()
    expect(await topOf('services')).toBeLessThan(await topOf('card-cpu'))
  })
})

test.describe('lists', () => {
  test('keep their filters in the address and draw only the rows in view', async ({ shown }) => {
    await show(shown, '/deployments')
    const rows = shown.getByTestId('history').getByRole('row')
    await expect(rows.nth(1)).toContainText('checkout')
    expect(await rows.count()).toBeLessThan(80)
    await shown.getByRole('combobox', { name: 'Outcome' }).selectOption('rolled back')
    await expect(shown).toHaveURL(/phase=rolled_back/)
    await expect(rows.nth(1)).toContainText('rolled back')
    await rows.nth(1).focus()
    await shown.keyboard.press('Enter')
    await expect(shown.getByTestId('phase')).toHaveAttribute('data-phase', 'rolled_back')
  })

  test('show the audit log, whether its chain is whole, and give it away as a file', async ({ shown }) => {
    await show(shown, '/activity')
    await expect(shown.getByTestId('audit').getByRole('row').nth(1)).toContainText(
      'requested the deployment of r',
    )
    await shown.getByRole('searchbox', { name: 'Search the audit log' }).fill('nobody did this')
    await expect(shown).toHaveURL(/q=nobody/)
    await expect(shown.getByText('No entries match these filters.')).toBeVisible()
    await shown.getByRole('searchbox').fill('')
    await shown.getByRole('button', { name: 'Verify the chain' }).click()
    await expect(shown.getByTestId('audit-verdict')).toContainText('The chain is whole')
    const download = shown.waitForEvent('download')
    await shown.getByRole('button', { name: 'Export JSONL' }).click()
    expect((await download).suggestedFilename()).toBe('audit.jsonl')
  })

  test('show hostile log lines as text', async ({ shown }) => {
    await show(shown, '/services/checkout')
    await expect(shown.getByText('<img src=x onerror=alert(1)> ·gnp.exe')).toBeVisible()
  })
})

test.describe('on every size and in both themes', () => {
  for (const path of [
    '/services',
    '/services/checkout?to=r43',
    '/deployments',
    '/deployments/checkout-43',
    '/activity',
  ]) {
    test(`${path} has nothing that axe objects to and nothing wider than the page`, async ({ shown }) => {
      await show(shown, path)
      await expect(shown.getByRole('heading', { level: 1 })).toBeVisible()
      await expect(shown.getByTestId('liveness')).toHaveAttribute('data-kind', 'live')
      for (const [width, height] of [
        [1440, 900],
        [1024, 700],
        [400, 800],
      ] as const) {
        await shown.setViewportSize({ width, height })
        const overflow = () =>
          shown.evaluate(() => {
            const main = document.querySelector('main')
            return [
              document.documentElement.scrollWidth - innerWidth,
              (main?.scrollWidth ?? 0) - (main?.clientWidth ?? 0),
            ]
          })
        await expect.poll(overflow).toEqual([0, 0])
        await inBothThemes(shown, async () => expect(await findings(shown)).toEqual([]))
      }
    })
  }
})

test.describe('on a phone', () => {
  /** Address, and the key that opens a dialog there. */
  const views = [
    ['/overview'],
    ['/overview', 'Control+k'],
    ['/overview', 'Control+e'],
    ['/overview', '?'],
    ['/host/local'],
    ['/services?add=1'],
    ['/deployments?new=1&of=checkout&release=r44'],
    ['/activity?entry=3'],
    ['/settings/config'],
    ['/settings/about'],
  ] as const

  for (const theme of themes)
    test(`each screen and dialog has nothing that axe objects to, and nothing wider than it, ${theme}`, async ({
      shown,
    }) => {
      test.slow()
      await shown.setViewportSize({ width: 400, height: 800 })
      await shown.emulateMedia({ colorScheme: theme })
      const found: Record<string, unknown> = {}
      for (const [path, key] of views) {
        await show(shown, path)
        await expect(shown.locator('html')).toHaveAttribute('data-theme', theme)
        await expect(shown.getByTestId('liveness')).toHaveAttribute('data-kind', 'live')
        if (key) await shown.keyboard.press(key)
        const isDialog = key !== undefined || /add=1|new=1/.test(path)
        await expect(shown.getByRole('dialog')).toHaveCount(isDialog ? 1 : 0)
        const wide = await shown.evaluate(() => document.documentElement.scrollWidth - innerWidth)
        const all = [...(wide > 0 ? [`${wide} px too wide`] : []), ...(await findings(shown))]
        if (all.length > 0) found[`${path} ${key ?? ''}`] = all
      }
      expect(found).toEqual({})
    })
})
