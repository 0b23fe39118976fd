import { defineConfig } from '@playwright/test'
import { findPeer } from './build/bootstrap/peers.mjs'

/** What a spec runs on; the fixtures in test/e2e start it. */
export interface HostOption {
  host: 'headless' | 'shell-double' | 'electron'
}

const chromium = findPeer('chromium')

// Every spec runs on the headless host and on the desktop shell: its double everywhere, real Electron when asked for.
export default defineConfig<object, HostOption>({
  testDir: 'test/e2e',
  outputDir: 'test-results/e2e',
  fullyParallel: true,
  workers: 2,
  forbidOnly: process.env['CI'] === 'true',
  timeout: 60_000,
  expect: { timeout: 15_000 },
  use: {
    viewport: { width: 1440, height: 900 },
    locale: 'en-GB',
    timezoneId: 'UTC',
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    // The system's Chromium where there is one, else the browser Playwright fetched.
    launchOptions: chromium ? { executablePath: chromium } : {},
  },
  projects: [
    { name: 'headless', use: { host: 'headless' } },
    { name: 'shell-double', use: { host: 'shell-double' } },
    { name: 'electron', use: { host: 'electron' }, workers: 1 },
  ],
})
