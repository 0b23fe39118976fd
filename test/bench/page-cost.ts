import { chromium, type Browser, type CDPSession, type Page } from '@playwright/test'
import { setTimeout as sleep } from 'node:timers/promises'
import { findPeer } from '../../build/bootstrap/peers.mjs'
import { createLocalMetricSource } from '../../src/adapters/metrics/index.ts'
import { systemClock } from '../../src/adapters/system/index.ts'
import { startScriptedFleet } from '../support/scripted-fleet.ts'

const serviceCount = 50
const eventCount = 500
const settleMs = 8000
const watchedSeconds = 30

/** Shares of one core while somebody looks at a page that nobody touches. */
interface PageCost {
  mainThreadShare: number
  scriptShare: number
  layoutAndStyleShare: number
  /** Of the page's whole process: the main thread, painting, garbage collection. */
  processShare: number
  /** Of all processes of the browser; without a graphics card it puts the frames together itself. */
  browserShare: number
  heapBytes: number
}

type Metrics = Record<
  'TaskDuration' | 'ScriptDuration' | 'LayoutDuration' | 'RecalcStyleDuration' | 'JSHeapUsedSize',
  number
>

async function metricsOf(session: CDPSession): Promise<Metrics> {
  const { metrics } = await session.send('Performance.getMetrics')
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value])) as Metrics
}

/** CPU seconds of the pages' processes, of which spare ones do nothing, and of all. */
async function secondsOf(session: CDPSession): Promise<{ pages: number; all: number }> {
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  const sum = (of: typeof processInfo) => of.reduce((seconds, { cpuTime }) => seconds + cpuTime, 0)
  return { pages: sum(processInfo.filter(({ type }) => type === 'renderer')), all: sum(processInfo) }
}

async function costOf(browser: Browser, page: Page): Promise<PageCost> {
  const session = await page.context().newCDPSession(page)
  const whole = await browser.newBrowserCDPSession()
  // CPU of the thread, not the time until others let it run.
  await session.send('Performance.enable', { timeDomain: 'threadTicks' })
  // Loading and compiling are another figure.
  await sleep(settleMs)
  const [before, cpuBefore] = [await metricsOf(session), await secondsOf(whole)]
  await sleep(watchedSeconds * 1000)
  const [after, cpuAfter] = [await metricsOf(session), await secondsOf(whole)]
  const share = (name: keyof Metrics) => (after[name] - before[name]) / watchedSeconds
  return {
    mainThreadShare: share('TaskDuration'),
    scriptShare: share('ScriptDuration'),
    layoutAndStyleShare: share('LayoutDuration') + share('RecalcStyleDuration'),
    processShare: (cpuAfter.pages - cpuBefore.pages) / watchedSeconds,
    browserShare: (cpuAfter.all - cpuBefore.all) / watchedSeconds,
    heapBytes: after.JSHeapUsedSize,
  }
}

export interface PageCostResult {
  watchedSeconds: number
  /** One machine's own series at 1 Hz. */
  hostScreen: PageCost
  /** Each service has new figures once a second. */
  overview: PageCost & { serviceCount: number; eventCount: number }
  services: PageCost & { serviceCount: number }
}

/** What the built screens cost a browser while they are live and nobody touches them. Build them first. */
export async function run(): Promise<PageCostResult> {
  const executablePath = findPeer('chromium')
  const isRoot = process.getuid?.() === 0
  const browser = await chromium.launch({
    ...(executablePath ? { executablePath } : {}),
    args: ['--disable-background-networking', ...(isRoot ? ['--no-sandbox'] : [])],
  })
  const live = (page: Page) => page.locator('[data-testid=liveness][data-kind=live]').waitFor()
  const watch = async (path: string, isReady: (page: Page) => Promise<unknown>, isBusy: boolean) => {
    await using fleet = await startScriptedFleet({
      host: {
        source: createLocalMetricSource({ clock: systemClock(), platform: process.platform }),
        intervalMs: 1000,
      },
      ...(isBusy ? { busyServiceCount: serviceCount - 4, eventCount } : { isEmpty: true }),
    })
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
    await page.goto(fleet.url)
    // The launch token works once: the page must have its session before it goes elsewhere.
    await live(page)
    await page.goto(new URL(path, fleet.url).href)
    await isReady(page)
    const cost = await costOf(browser, page)
    await page.close()
    return cost
  }
  try {
    return {
      watchedSeconds,
      hostScreen: await watch(
        '/host/local?range=15m',
        (page) => page.getByTestId('chart-cpu').getByRole('slider').waitFor(),
        false,
      ),
      overview: { serviceCount, eventCount, ...(await watch('/overview', live, true)) },
      services: { serviceCount, ...(await watch('/services', live, true)) },
    }
  } finally {
    await browser.close()
  }
}

if (import.meta.main) {
  const { hostScreen, overview, services } = await run()
  const row = (cost: PageCost) => ({
    'main thread': `${(cost.mainThreadShare * 100).toFixed(1)}%`,
    script: `${(cost.scriptShare * 100).toFixed(1)}%`,
    'layout and style': `${(cost.layoutAndStyleShare * 100).toFixed(1)}%`,
    'whole process': `${(cost.processShare * 100).toFixed(1)}%`,
    'whole browser': `${(cost.browserShare * 100).toFixed(1)}%`,
    heap: `${(cost.heapBytes / 1e6).toFixed(1)} MB`,
  })
  console.log(`shares of a core over ${watchedSeconds} s; ${serviceCount} services, ${eventCount} events`)
  console.table({ 'host at 1 Hz': row(hostScreen), overview: row(overview), services: row(services) })
}
