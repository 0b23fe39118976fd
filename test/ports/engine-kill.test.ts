import Database from 'better-sqlite3'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { seededRng } from '../../src/base/index.ts'
import { websocketChannel } from '../../src/adapters/transports/index.ts'
import { LiveClient, type LiveChannel, type SampleRows } from '../../src/contract/index.ts'
import { sessionOf } from '../support/sign-in.ts'

const cli = fileURLToPath(new URL('../../src/hosts/cli/start.ts', import.meta.url))
const killCount = 50
/** What a crash may cost, ms: the telemetry that was not yet committed. */
const allowedLossMs = 5000
/** Between two samples, ms; one of them may fall into the moment of the kill. */
const intervalMs = 1000

interface Door {
  url: URL
  session: string
}

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
        let earlier: number[] = []
        for (let life = 0; life < lives; life++) {
          earlier = await liveAndDie(dataDirectory, rng.next() * 8000, earlier)
        }
        checkDatabases(dataDirectory, lives)
      })
      await Promise.all(lanes)
    },
  )
})

/** One run: looks at what the run before left, streams for `lifeMs`, is killed. Gives the times it streamed. */
async function liveAndDie(dataDirectory: string, lifeMs: number, earlier: number[]): Promise<number[]> {
  const { child, url, session } = await start(dataDirectory)
  const firstMs = earlier[0]
  const lastMs = earlier.at(-1)
  if (firstMs !== undefined && lastMs !== undefined) {
    const kept = await storedTimes({ url, session }, firstMs - 1, lastMs + 1)
    const must = earlier.filter((atMs) => atMs < lastMs - allowedLossMs - intervalMs)
    expect(must.filter((atMs) => !kept.has(atMs))).toEqual([])
    expect([...kept].filter((atMs) => !earlier.includes(atMs))).toEqual([])
  }
  const seen = await watchSamples({ url, session })
  await new Promise((resolve) => setTimeout(resolve, lifeMs))
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
  return seen
}

async function start(dataDirectory: string): Promise<{ child: ChildProcess } & Door> {
  const child = spawn(
    process.execPath,
    [cli, 'serve', '--port', '0', '--no-open', '--data-dir', dataDirectory],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
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
  return { child, url: new URL(address), session: await sessionOf(address) }
}

/** Times of the samples the engine streams, as they come. */
async function watchSamples(door: Door): Promise<number[]> {
  const seen: number[] = []
  const socket = new WebSocket(`ws://${door.url.host}/api/live`, { headers: authorization(door) })
  socket.on('error', () => undefined)
  await new Promise((resolve) => socket.once('open', resolve))
  const client = new LiveClient(websocketChannel(socket) as LiveChannel, {
    greeted: () => undefined,
    changed: () => undefined,
    samples: (rows: SampleRows[]) => seen.push(...rows.flatMap(({ timesMs }) => [...timesMs])),
    heard: () => undefined,
    refused: () => undefined,
  })
  client.stream([{ hostId: 'local', seriesIds: [await cpuSeriesId(door)] }])
  return seen
}

/** Asks until the first reading has been taken. */
async function cpuSeriesId(door: Door): Promise<number> {
  for (;;) {
    const answer = await fetch(`http://${door.url.host}/api/v1/hosts`, { headers: authorization(door) })
    const hosts = (await answer.json()) as { series: { id: number; name: string }[] }[]
    const found = hosts[0]?.series.find(({ name }) => name === 'cpu.busy')
    if (found) return found.id
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function storedTimes(door: Door, fromMs: number, toMs: number): Promise<Set<number>> {
  const answer = await fetch(`http://${door.url.host}/api/v1/telemetry/chart`, {
    method: 'POST',
    headers: { ...authorization(door), 'content-type': 'application/json' },
    body: JSON.stringify({
      hostId: 'local',
      seriesIds: [await cpuSeriesId(door)],
      fromMs,
      toMs,
      maxPoints: 5000,
    }),
  })
  const chart = (await answer.json()) as { series: { timesMs: number[]; mean: (number | null)[] }[] }
  return new Set(chart.series[0]?.timesMs)
}

const authorization = ({ session }: Door) => ({ authorization: `Bearer ${session}` })

/** Both databases are whole, and every run of the engine that lived long enough is on record. */
function checkDatabases(dataDirectory: string, lives: number): void {
  const open = (file: string) => new Database(join(dataDirectory, file))
  for (const file of ['state.sqlite', 'telemetry.sqlite']) {
    const database = open(file)
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok')
    database.close()
  }
  const state = open('state.sqlite')
  const launches = state.prepare('select count(*) from launches').pluck().get() as number
  state.close()
  expect(launches).toBeGreaterThan(0)
  expect(launches).toBeLessThanOrEqual(lives)
}
