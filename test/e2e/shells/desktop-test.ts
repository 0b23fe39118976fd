import { test as base } from '@playwright/test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Desktop } from './desktop.ts'
import { openDouble } from './double.ts'
import { openElectron } from './electron.ts'
import { shellKind, type ShellOptions } from './shell.ts'

type Start = Partial<Pick<ShellOptions, 'directory' | 'config' | 'args' | 'program'>>

interface DesktopFixtures {
  /** An empty folder that lives as long as the test. */
  directory: string
  /** Starts the app; it is closed with the test. */
  start: (options?: Start) => Promise<Desktop>
  /** The app, started, with live data on its page. */
  desktop: Desktop
}

/** Specs of the desktop shell itself, on the double or on Electron. */
export const test = base.extend<DesktopFixtures>({
  // eslint-disable-next-line no-empty-pattern -- Playwright reads the names from the pattern
  directory: async ({}, use) => {
    const directory = mkdtempSync(join(tmpdir(), 'pilothouse-e2e-'))
    await use(directory)
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  },
  start: async ({ browser, contextOptions, directory }, use) => {
    const started: Desktop[] = []
    const open = shellKind === 'electron' ? openElectron : openDouble
    await use(async (options = {}) => {
      const newContext = () => browser.newContext(contextOptions)
      const desktop = await open({ directory, newContext, ...options })
      started.push(desktop)
      return desktop
    })
    for (const desktop of started) await desktop.close()
  },
  desktop: async ({ start }, use) => {
    const desktop = await start()
    await isLive(desktop)
    await use(desktop)
  },
})

export const { expect } = test

/** Waits until the page of a window says that its data are live. */
export async function isLive({ page }: Pick<Desktop, 'page'>): Promise<void> {
  await expect(page.getByTestId('liveness')).toHaveAttribute('data-kind', 'live')
}

/** For what only the double records (panel, notifications, addresses opened outside). */
export const onlyOnTheDouble = (): void =>
  test.skip(shellKind !== 'double', 'reads what only the double records')
