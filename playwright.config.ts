import { defineConfig } from '@playwright/test'
import { findPeer } from './build/bootstrap/peers.mjs'

// Every spec runs on each shell: the headless host, the desktop shell's double, and real Electron when asked for.
const shell = process.env['PILOTHOUSE_E2E_SHELL'] ?? 'headless'

// The double differs from the headless host in windows and transport, not in what a chart, a table or a form shows.
const ignored: Readonly<Record<string, string>> = {
  headless: '**/desktop.*.spec.ts',
  double: '**/{host,fleet,screens.overview}.*spec.ts',
}

const chromium = findPeer('chromium')

export default defineConfig({
  testDir: 'test/e2e',
  outputDir: `test-results/${shell}`,
  testIgnore: ignored[shell] ?? [],
  fullyParallel: true,
  workers: shell === 'electron' ? 1 : 2,
  forbidOnly: process.env['CI'] === 'true',
  // Nets for what never comes: what does come ends a wait at once, however busy the machine is.
  timeout: 600_000,
  expect: { timeout: 90_000 },
  use: {
    viewport: { width: 1440, height: 900 },
    locale: 'en-GB',
    timezoneId: 'UTC',
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    // The system's Chromium where there is one, else the browser Playwright fetched.
    launchOptions: chromium ? { executablePath: chromium } : {},
  },
  projects: [{ name: shell }],
})
