import type { BrowserContext, Page } from '@playwright/test'

export type ShellKind = 'headless' | 'double' | 'electron'

/** Where this run of the specs shows the app. */
export const shellKind = (process.env['PILOTHOUSE_E2E_SHELL'] ?? 'headless') as ShellKind

export interface ShellOptions {
  /** An empty folder of this test's own: data, settings and state go there. */
  directory: string
  /** A browser context for shells that show their page in one. */
  newContext: () => Promise<BrowserContext>
  /** Text of the engine's configuration; none when left out. */
  config?: string
  /** Folder of the program; the built one of this checkout when left out. */
  program?: string
  /** Further arguments of the start. */
  args?: readonly string[]
}

/** The app, started, with a page on it. */
export interface Shell {
  kind: ShellKind
  page: Page
  /** File of the engine's configuration, to change or to make. */
  configFile: string
  /** Process that holds the engine, to stop, to kill, to look at. */
  enginePid(): Promise<number>
  /** Ends the app as a person does and waits for its end. */
  close(): Promise<void>
}
