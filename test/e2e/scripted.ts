import { test as base, expect, type Page } from '@playwright/test'
import {
  startScriptedFleet,
  type ScriptedFleet,
  type ScriptedFleetOptions,
} from '../support/scripted-fleet.ts'

/** Screens of services and deployments in states that a real fleet comes to rarely. A page may throw no error. */
export const test = base.extend<{
  settings: ScriptedFleetOptions
  fleet: ScriptedFleet
  shown: Page
}>({
  settings: [{}, { option: true }],
  fleet: async ({ settings }, use) => {
    await using fleet = await startScriptedFleet(settings)
    await use(fleet)
  },
  shown: async ({ fleet, page }, use) => {
    const errors: string[] = []
    page.on('pageerror', ({ message }) => errors.push(message))
    await page.goto(fleet.url)
    await expect(page.getByTestId('liveness')).toHaveAttribute('data-kind', 'live')
    await use(page)
    expect(errors).toEqual([])
  },
})

export { expect }
