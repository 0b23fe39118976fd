import { test as base } from '@playwright/test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDouble } from './shells/double.ts'
import { openElectron } from './shells/electron.ts'
import { openHeadless } from './shells/headless.ts'
import { shellKind, type Shell, type ShellOptions } from './shells/shell.ts'

/** The app on whichever shell this run is for, with live data on its page. */
export interface App extends Shell {
  /** Shows another view: path with query and fragment. */
  visit(address: string): Promise<void>
  /** Lets an engine that was killed run again; shells that see to it themselves do nothing here. */
  revive(): Promise<void>
}

interface Fixtures {
  /** Starts the app with a configuration; it is closed with the test. */
  open: (options?: Pick<ShellOptions, 'config' | 'args'>) => Promise<App>
  app: App
}

/** Specs of the screens: `page` shows the app, whatever shell is around it. */
export const test = base.extend<Fixtures>({
  open: async ({ browser }, use) => {
    const directory = mkdtempSync(join(tmpdir(), 'pilothouse-e2e-'))
    const opened: App[] = []
    await use(async (options = {}) => {
      const app = await openShell({ directory, newContext: () => browser.newContext(), ...options })
      opened.push(app)
      return app
    })
    for (const app of opened) await app.close()
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  },
  app: async ({ open }, use) => {
    const app = await open()
    await isLive(app)
    await use(app)
  },
  page: async ({ app }, use) => use(app.page),
})

export const { expect } = test

/** Waits until the page says that its data are live. */
export async function isLive({ page }: Pick<Shell, 'page'>): Promise<void> {
  await expect(page.getByTestId('liveness')).toHaveAttribute('data-kind', 'live')
}

async function openShell(options: ShellOptions): Promise<App> {
  const visit = (page: Shell['page']) => async (address: string) => {
    // A window of the desktop opens empty and finds its address by itself.
    await expect(page.getByTestId('liveness')).toBeVisible()
    await page.goto(new URL(address, page.url()).href)
  }
  if (shellKind === 'headless') {
    const shell = await openHeadless(options)
    return { ...shell, visit: visit(shell.page), revive: () => shell.startAgain() }
  }
  const shell = await (shellKind === 'electron' ? openElectron : openDouble)(options)
  return { ...shell, visit: visit(shell.page), revive: () => Promise.resolve() }
}
