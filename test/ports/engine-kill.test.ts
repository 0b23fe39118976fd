import Database from 'better-sqlite3'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { websocketChannel } from '../../src/adapters/transports/index.ts'
import { LiveClient, type LiveChannel, type SampleRows } from '../../src/contract/index.ts'
import { seededRng } from '../../src/engine/core/index.ts'

const cli = fileURLToPath(new URL('../../src/hosts/cli/index.ts', import.meta.url))
const killCount = Number(process.env["KILLS"] ?? 50)
/** What a crash may cost, ms: the telemetry that was not yet committed. */
const allowedLossMs = 5000
/** Between two samples, ms; one of them may fall into the moment of the kill. */
const intervalMs = 1000

describe('the engine, killed at random moments', () => {
  it(
    `opens its databases clean ${killCount} times and misses at most 5 s of telemetry each time`,
    { timeout: 900_000 },
    async () => {
      const seed = Number(process.env['PILOTHOUSE_SEED'] ?? Date.now() % 1e6)
      console.log(`seed ${seed}: PILOTHOUSE_SEED=${seed} npm test -- test/ports/engine-kill`)
      const rng = seededRng(seed)
      // Four data directories side by side: what is waited for is the clock, not the processor.
      const lanes = Array.from({ length: 4 }, async (_, lane) => {
        const dataDirectory = await mkdtemp(join(tmpdir(), 'pilothouse-kill-'))
        onTestFinished(() => rm(dataDirectory, { recursive: true, force: true }))
        const lives = Math.floor(killCount / 4) + (lane < killCount % 4 ? 1 : 0)
        for (let life = 0; life < lives; life++) await liveAndDie(dataDirectory, rng.next() * 9000)
        checkState(dataDirectory, lives)
      })
      await Promise.all(lanes)
    },
  )
})

/** One run of the engine from its start to its kill after `lifeMs` of streaming, and a look at what it left. */
async function liveAndDie(dataDirectory: string, lifeMs: number): Promise<void> {
  const { child, url } = await start(dataDirectory)
  const seen = await watchSamples(url)
  await new Promise((resolve) => setTimeout(resolve, lifeMs))
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
  const lastSeenMs = seen.at(-1)
  if (lastSeenMs === undefined) return
  const after = await start(dataDirectory)
  const kept = await storedTimes(after.url, (seen[0] ?? 0) - 1, lastSeenMs + 1)
  after.child.kill('SIGKILL')
  await new Promise((resolve) => after.child.once('exit', resolve))
  const must = seen.filter((atMs) => atMs < lastSeenMs - allowedLossMs - intervalMs)
  expect(must.filter((atMs) => !kept.has(atMs))).toEqual([])
  expect([...kept].filter((atMs) => !seen.includes(atMs) && atMs > (seen[0] ?? 0))).toEqual([])
}

async function start(dataDirectory: string): Promise<{ child: ChildProcess; url: URL }> {
  const child = spawn(process.execPath, [cli, 'serve', '--port', '0', '--no-open', '--data-dir', dataDirectory], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  const address = await new Promise<string>((resolve, reject) => {
    const read = (text: Buffer) => {
      output += text.toString()
      const found = /http:\/\/\S+/.exec(output)
      if (found) resolve(found[0])
    }
    child.stdout.on('data', read)
    child.stderr.on('data', (text: Buffer) => (output += text.toString()))
    child.once('exit', (code) => reject(new Error(`the engine ended with ${code} at its start: ${output}`)))
  })
  return { child, url: new URL(address) }
}

/** Times of the samples the engine streams, as they come. */
async function watchSamples(url: URL): Promise<number[]> {
  const seen: number[] = []
  const socket = new WebSocket(`ws://${url.host}/api/live`, { headers: authorization(url) })
  socket.on('error', () => undefined)
  await new Promise((resolve) => socket.once('open', resolve))
  const client = new LiveClient(websocketChannel(socket) as LiveChannel, {
    greeted: () => undefined,
    changed: () => undefined,
    samples: (rows: SampleRows[]) => seen.push(...rows.flatMap(({ timesMs }) => [...timesMs])),
    heard: () => undefined,
    refused: () => undefined,
  })
  client.stream([{ hostId: 'local', seriesIds: [await cpuSeriesId(url)] }])
  return seen
}

/** Asks until the first reading has been taken. */
async function cpuSeriesId(url: URL): Promise<number> {
  for (;;) {
    const answer = await fetch(`http://${url.host}/api/v1/hosts`, { headers: authorization(url) })
    const hosts = (await answer.json()) as { series: { id: number; name: string }[] }[]
    const found = hosts[0]?.series.find(({ name }) => name === 'cpu.busy')
    if (found) return found.id
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function storedTimes(url: URL, fromMs: number, toMs: number): Promise<Set<number>> {
  const answer = await fetch(`http://${url.host}/api/v1/telemetry/chart`, {
    method: 'POST',
    headers: { ...authorization(url), 'content-type': 'application/json' },
    body: JSON.stringify({
      hostId: 'local',
      seriesIds: [await cpuSeriesId(url)],
      fromMs,
      toMs,
      maxPoints: 5000,
    }),
  })
  const chart = (await answer.json()) as { series: { timesMs: number[]; mean: (number | null)[] }[] }
  return new Set(chart.series[0]?.timesMs)
}

const authorization = (url: URL) => ({ authorization: `Bearer ${url.searchParams.get('token')}` })

/** Both databases are whole, and every run of the engine is on record. */
function checkState(dataDirectory: string, lives: number): void {
  for (const file of ['state.sqlite', 'telemetry.sqlite']) {
    const database = new Database(join(dataDirectory, file), { readonly: true })
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok')
    database.close()
  }
  const state = new Database(join(dataDirectory, 'state.sqlite'), { readonly: true })
  const tables = state.prepare("select name from sqlite_master where type = 'table'").pluck().all()
  state.close()
  expect(tables.length).toBeGreaterThan(0)
  expect(lives).toBeGreaterThan(0)
}
