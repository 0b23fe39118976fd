import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { seededRng } from '../../src/base/index.ts'
import { Archive } from '../../src/adapters/stores/telemetry/archive.ts'
import { defaultRetention } from '../../src/adapters/stores/telemetry/index.ts'
import { killedKeys, killedValues } from './telemetry-store.kill-rows.ts'

const rounds = 20
const startMs = Date.UTC(2026, 7, 1)
const child = fileURLToPath(new URL('./telemetry-store.kill-child.ts', import.meta.url))

describe('the telemetry store under kill -9', { timeout: 600_000 }, () => {
  let folder = ''
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'pilothouse-kill-'))))
  afterEach(() => rmSync(folder, { recursive: true }))

  /** Records from `fromMs` until killed, `afterRows` rows and `delayMs` later. Gives the times of what was appended. */
  async function recordAndKill(
    file: string,
    fromMs: number,
    afterRows: number,
    delayMs: number,
  ): Promise<number[]> {
    const recorder = spawn(process.execPath, [child, file, String(fromMs)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const times: number[] = []
    let rest = ''
    recorder.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      times.push(...lines.map(Number))
      if (times.length >= afterRows) setTimeout(() => recorder.kill('SIGKILL'), delayMs)
    })
    const [exitCode, signal] = (await once(recorder, 'close')) as [number | null, string | null]
    expect({ exitCode, signal }).toEqual({ exitCode: null, signal: 'SIGKILL' })
    return times
  }

  it(`opens clean ${rounds} times of ${rounds}, lacks at most the last 5 s, and has no row that was not appended`, async () => {
    const seed = Number(process.env['KILL_SEED'] ?? Date.now() % 2 ** 32)
    console.log(`KILL_SEED=${seed}`)
    const rng = seededRng(seed)
    const file = join(folder, 'telemetry.db')
    const expected: number[] = []
    let fromMs = startMs
    let mostMissing = 0
    for (let round = 0; round < rounds; round++) {
      const appended = await recordAndKill(file, fromMs, 1 + rng.next() * 600, rng.next() * 30)
      const untilMs = appended.at(-1) ?? fromMs
      const archive = new Archive(file, defaultRetention, untilMs)
      try {
        expect(archive.state()).toMatchObject({ notice: '', damagedChunkCount: 0 })
        const ids = archive.register('local', killedKeys, untilMs).map(({ id }) => id)
        const chart = archive.chart(
          { hostId: 'local', seriesIds: ids, fromMs, toMs: untilMs + 60_000, maxPoints: 100_000 },
          [],
          untilMs,
        )
        const kept = Array.from(chart.series[0]?.timesMs ?? [])
        const missing = appended.length - kept.length
        expect(kept, `round ${round} of seed ${seed}`).toEqual(appended.slice(0, kept.length))
        expect(missing, `round ${round} of seed ${seed}`).toBeLessThanOrEqual(5)
        for (const [column, { mean }] of chart.series.entries()) {
          expect(Array.from(mean)).toEqual(kept.map((atMs) => killedValues(atMs)[column]))
        }
        mostMissing = Math.max(mostMissing, missing)
        expected.push(...kept)
      } finally {
        archive.close()
      }
      fromMs = untilMs + 1000
    }
    expect(readdirSync(folder).filter((name) => name.includes('damaged'))).toEqual([])
    const archive = new Archive(file, defaultRetention, fromMs)
    try {
      const ids = archive.register('local', killedKeys, fromMs).map(({ id }) => id)
      const query = { hostId: 'local', seriesIds: ids.slice(0, 1), fromMs: startMs, toMs: fromMs }
      const all = archive.chart({ ...query, maxPoints: 1_000_000 }, [], fromMs)
      const values = Array.from(all.series[0]?.mean ?? []).filter((value) => !Number.isNaN(value))
      expect(values).toEqual(expected.map((atMs) => killedValues(atMs)[0]))
      const rolled = archive.chart({ ...query, maxPoints: 2 }, [], fromMs).series[0]
      expect(Math.max(...(rolled?.max ?? []).filter((value) => !Number.isNaN(value)))).toBe(
        Math.max(...values),
      )
      expect(Math.min(...(rolled?.min ?? []).filter((value) => !Number.isNaN(value)))).toBe(
        Math.min(...values),
      )
    } finally {
      archive.close()
    }
    console.log(`${rounds} kills, ${expected.length} rows kept, at most ${mostMissing} missing in a round`)
  })
})
