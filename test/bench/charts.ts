import { chromium, type Browser, type CDPSession, type Page } from '@playwright/test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { build } from 'vite'
import { findPeer } from '../../build/bootstrap/peers.mjs'
import { openHeadless } from '../e2e/shells/headless.ts'
import { pointCount, seriesCount } from './charts-page/samples.ts'

const updateCount = 240
const warmUpCount = 60
const watchedSeconds = 20

interface UpdateCost {
  /** Of the update itself, in the page's own clock. */
  medianMs: number
  p95Ms: number
  /** Work of the page's main thread for each update, garbage collection and painting included. */
  mainThreadMs: number
}

export interface ChartsResult {
  seriesCount: number
  pointCount: number
  naive: UpdateCost
  ours: UpdateCost
  /** How many times less work of the main thread ours is. */
  timesLess: number
  hostScreen: {
    chartsInView: number
    watchedSeconds: number
    /** Shares of one core that the page's main thread took while the Host screen was live at 1 Hz. */
    mainThreadShare: number
    scriptShare: number
    layoutAndStyleShare: number
    heapBytes: number
  }
}

type Metrics = Record<
  'TaskDuration' | 'ScriptDuration' | 'LayoutDuration' | 'RecalcStyleDuration' | 'JSHeapUsedSize',
  number
>

async function metricsOf(session: CDPSession): Promise<Metrics> {
  const { metrics } = await session.send('Performance.getMetrics')
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value])) as Metrics
}

async function watched(page: Page): Promise<CDPSession> {
  const session = await page.context().newCDPSession(page)
  // CPU of the thread, not the time until others let it run.
  await session.send('Performance.enable', { timeDomain: 'threadTicks' })
  return session
}

/** Builds one page of the bench to a script. */
async function scriptOf(name: string, outDir: string): Promise<string> {
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      outDir,
      emptyOutDir: false,
      lib: {
        entry: join(import.meta.dirname, 'charts-page', `${name}.ts`),
        formats: ['iife'],
        name,
        fileName: name,
      },
    },
  })
  return join(outDir, `${name}.iife.js`)
}

async function costOf(browser: Browser, script: string): Promise<UpdateCost> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  await page.addScriptTag({ path: script })
  const session = await watched(page)
  await page.evaluate((count) => window.runUpdates(count), warmUpCount)
  const before = await metricsOf(session)
  const took = await page.evaluate((count) => window.runUpdates(count), updateCount)
  const after = await metricsOf(session)
  await page.close()
  const sorted = took.sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN
  return {
    medianMs: at(0.5),
    p95Ms: at(0.95),
    mainThreadMs: ((after.TaskDuration - before.TaskDuration) * 1000) / updateCount,
  }
}

/** The built app with this machine's own figures, live, as somebody looks at it. */
async function hostScreen(browser: Browser, directory: string): Promise<ChartsResult['hostScreen']> {
  const app = await openHeadless({
    directory,
    newContext: () => browser.newContext({ viewport: { width: 1440, height: 900 } }),
  })
  try {
    const { page } = app
    await page.goto(new URL('/host/local?range=15m', page.url()).href)
    await page.getByTestId('chart-cpu').getByRole('slider').waitFor()
    const session = await watched(page)
    // Loading and compiling are another figure.
    await sleep(8000)
    const before = await metricsOf(session)
    await sleep(watchedSeconds * 1000)
    const after = await metricsOf(session)
    const share = (name: keyof Metrics) => (after[name] - before[name]) / watchedSeconds
    const chartsInView = await page
      .getByRole('slider')
      .evaluateAll(
        (charts) => charts.filter((chart) => chart.getBoundingClientRect().top < innerHeight).length,
      )
    return {
      chartsInView,
      watchedSeconds,
      mainThreadShare: share('TaskDuration'),
      scriptShare: share('ScriptDuration'),
      layoutAndStyleShare: share('LayoutDuration') + share('RecalcStyleDuration'),
      heapBytes: after.JSHeapUsedSize,
    }
  } finally {
    await app.close()
  }
}

/** What live charts cost in a browser: one update beside the library used as its first example does, and a screen of them. */
export async function run(): Promise<ChartsResult> {
  const directory = mkdtempSync(join(tmpdir(), 'pilothouse-bench-'))
  const executablePath = findPeer('chromium')
  const isRoot = process.getuid?.() === 0
  const browser = await chromium.launch({
    ...(executablePath ? { executablePath } : {}),
    args: ['--disable-background-networking', ...(isRoot ? ['--no-sandbox'] : [])],
  })
  try {
    const naive = await costOf(browser, await scriptOf('naive', directory))
    const ours = await costOf(browser, await scriptOf('ours', directory))
    return {
      seriesCount,
      pointCount,
      naive,
      ours,
      timesLess: naive.mainThreadMs / ours.mainThreadMs,
      hostScreen: await hostScreen(browser, directory),
    }
  } finally {
    await browser.close()
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  }
}

if (import.meta.main) {
  const { naive, ours, timesLess, hostScreen: screen } = await run()
  const row = ({ medianMs, p95Ms, mainThreadMs }: UpdateCost) => ({
    'median ms': medianMs.toFixed(2),
    'p95 ms': p95Ms.toFixed(2),
    'main thread ms': mainThreadMs.toFixed(2),
  })
  console.log(`one update of ${seriesCount} series of ${pointCount} points`)
  console.table({ naive: row(naive), ours: row(ours) })
  console.log(`${timesLess.toFixed(1)} times less work of the main thread`)
  console.log(`Host screen at 1 Hz, ${screen.chartsInView} charts in view, ${screen.watchedSeconds} s`)
  console.table({
    'main thread': `${(screen.mainThreadShare * 100).toFixed(1)} % of a core`,
    script: `${(screen.scriptShare * 100).toFixed(1)} %`,
    'layout and style': `${(screen.layoutAndStyleShare * 100).toFixed(1)} %`,
    heap: `${(screen.heapBytes / 1e6).toFixed(1)} MB`,
  })
}
