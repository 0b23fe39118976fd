import { chromium } from '@playwright/test'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { findPeer } from '../../build/bootstrap/peers.mjs'
import { wrk, type WrkFigures } from '../support/wrk.ts'

export interface StartResult {
  runs: number
  /** From the start of the process, medians. */
  addressMs: number
  firstLiveValueMs: number
  /** From opening the page in a browser that runs already, medians. */
  pageShowsValueMs: number
  /** Answers of the health endpoints while 50 connections ask, each as fast as it is answered. */
  readinessP50Ms: number
  readinessP99Ms: number
  readinessPerSecond: number
  readinessFailed: number
  /** The same questions to a bare server of Node that says the same length: what the machine itself makes of it. */
  bareP50Ms: number
  bareP99Ms: number
  barePerSecond: number
}

const cli = join(import.meta.dirname, '../../dist/node/cli.js')
const runCount = 5

/** Cold start of the built headless app to its first live value, and its health endpoints under load. */
export async function run(): Promise<StartResult> {
  if (!existsSync(cli)) throw new Error('build first: npm run build')
  const installed = findPeer('chromium')
  const browser = await chromium.launch({
    ...(installed ? { executablePath: installed } : {}),
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  })
  const address: number[] = []
  const live: number[] = []
  const page: number[] = []
  let readiness: WrkFigures | undefined
  let bare: WrkFigures | undefined
  for (let round = 0; round < runCount; round++) {
    const directory = await mkdtemp(join(tmpdir(), 'pilothouse-start-'))
    const startedAt = performance.now()
    const child = spawn(
      process.execPath,
      [cli, 'serve', '--port', '0', '--no-open', '--data-dir', directory],
      {
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    )
    const url = await new Promise<URL>((resolve) => {
      let text = ''
      child.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString()
        const found = /http:\/\/\S+/.exec(text)
        if (found) resolve(new URL(found[0]))
      })
    })
    address.push(performance.now() - startedAt)
    await firstValue(url)
    live.push(performance.now() - startedAt)
    const opened = await browser.newPage()
    const openedAt = performance.now()
    await opened.goto(url.href)
    await opened
      .getByText(/load \d/)
      .first()
      .waitFor()
    page.push(performance.now() - openedAt)
    await opened.close()
    if (round === runCount - 1) {
      readiness = await wrk(`${url.origin}/health/readiness`, 50, 5)
      bare = await askBareServer(await (await fetch(`${url.origin}/health/readiness`)).text())
    }
    child.kill('SIGTERM')
    await new Promise((resolve) => child.once('exit', resolve))
    await rm(directory, { recursive: true, force: true })
  }
  await browser.close()
  return {
    runs: runCount,
    addressMs: median(address),
    firstLiveValueMs: median(live),
    pageShowsValueMs: median(page),
    readinessP50Ms: readiness?.p50Ms ?? Number.NaN,
    readinessP99Ms: readiness?.p99Ms ?? Number.NaN,
    readinessPerSecond: readiness?.requestsPerSecond ?? Number.NaN,
    readinessFailed: readiness?.failedRequests ?? Number.NaN,
    bareP50Ms: bare?.p50Ms ?? Number.NaN,
    bareP99Ms: bare?.p99Ms ?? Number.NaN,
    barePerSecond: bare?.requestsPerSecond ?? Number.NaN,
  }
}

/** Resolves when the engine holds a CPU figure of this machine that it has measured itself. */
async function firstValue(url: URL): Promise<void> {
  for (;;) {
    const answer = await fetch(`${url.origin}/health/metrics`)
    const { hosts } = (await answer.json()) as { hosts: { metrics: Record<string, number> }[] }
    if (hosts[0]?.metrics['cpu.busy'] !== undefined) return
    await wait(10)
  }
}

/** A server in a process of its own that does nothing but answer `body`. */
async function askBareServer(body: string): Promise<WrkFigures> {
  const program = `require('node:http').createServer((_, response) => {
    response.setHeader('content-type', 'application/json').end(process.argv[1])
  }).listen(0, '127.0.0.1', function () { console.log(this.address().port) })`
  const child = spawn(process.execPath, ['-e', program, body], { stdio: ['ignore', 'pipe', 'ignore'] })
  try {
    const [port] = (await once(child.stdout, 'data')) as [Buffer]
    return await wrk(`http://127.0.0.1:${port.toString().trim()}/`, 50, 5)
  } finally {
    child.kill('SIGKILL')
  }
}

const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

if (import.meta.main) console.table(await run())
