import Sqlite from 'better-sqlite3'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { decodeBlock, encodeBlock } from '../../src/adapters/stores/telemetry/block.ts'
import { openTelemetryStore } from '../../src/adapters/stores/telemetry/index.ts'
import { precisionOf } from '../../src/adapters/stores/telemetry/precision.ts'
import type { TelemetryStore } from '../../src/engine/telemetry/index.ts'
import { loadRecording, type Recording } from '../fixtures/telemetry/recording.ts'
import { VirtualClock } from '../support/clock.ts'

/** Size, write load and speed of telemetry at rest on a recording of a real host, beside what others make of it. */
export interface StorageResult {
  recording: { seriesCount: number; constantSeriesCount: number; seconds: number; sampleCount: number }
  pilothouse: {
    /** Chunks of samples alone, as the peers' figures are. */
    bytesASample: number
    /** The whole file after 24 h: roll-ups, indexes, page slack and free pages included. */
    fileBytesASample: number
    /** Bytes handed to write() a tick of 1 s, log and checkpoints included; Linux only. */
    bytesWrittenATick: number | null
    /** Bytes of pages that reached the block layer, as the kernel counts them; Linux only. */
    bytesToDiskATick: number | null
    /** CPU of the whole process a tick, commit, compression and roll-ups included, milliseconds. */
    cpuMillisecondsATick: number
    /** What append costs the thread that samples, microseconds of wall time a row. */
    appendMicrosecondsARow: number
    samplesASecond: number
    chart24hOfSecondsMedianMs: number
    /** CPU of the whole process for the same: what is left of the median on an idle machine. */
    chart24hOfSecondsCpuMs: number
    chart24hIn1000PointsMedianMs: number
    chart1hOfSecondsMedianMs: number
  }
  /** A row a sample, clustered by series, committed every 4 s as well. */
  rows: {
    bytesASample: number
    bytesWrittenATick: number | null
    samplesASecond: number
    chart24hOfSecondsMedianMs: number
  }
  /** Null where promtool is not installed. The second: the values rounded as we keep them. */
  prometheus: { bytesASample: number; bytesASampleRounded: number; bytesASampleWithIndex: number } | null
}

const fixture = new URL('../fixtures/telemetry/host.rec.zst', import.meta.url)
const daySeconds = 86_400

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN

/** Bytes this process has written so far: by write(), and to the block layer. */
function written(): { calls: number; disk: number } | null {
  if (process.platform !== 'linux') return null
  const text = readFileSync('/proc/self/io', 'latin1')
  const of = (name: string) => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(text)?.[1])
  return { calls: of('wchar'), disk: of('write_bytes') }
}

const perTick = (before: number | undefined, after: number | undefined, ticks: number): number | null =>
  before === undefined || after === undefined ? null : (after - before) / ticks

const cpuMs = (since?: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1000
}

const unwrap = <T>(result: { ok: true; value: T } | { ok: false; error: Error }): T => {
  if (!result.ok) throw result.error
  return result.value
}

/** Plays the recording over and over, each time right after the last; the first time is as it was. */
function* replay(
  { timesMs, rows }: Recording,
  ticks: number,
): Generator<{ atMs: number; values: Float64Array }> {
  const firstMs = timesMs[0] ?? 0
  const spanMs = (timesMs.at(-1) ?? 0) - firstMs + 1000
  for (let tick = 0; tick < ticks; tick++) {
    const round = Math.floor(tick / rows.length)
    const atMs = (timesMs[tick % rows.length] ?? 0) + round * spanMs
    yield { atMs, values: rows[tick % rows.length] ?? new Float64Array() }
  }
}

async function medianMs(times: number, run: () => Promise<unknown>): Promise<number> {
  const taken: number[] = []
  for (let i = 0; i < times; i++) {
    const startedAt = performance.now()
    await run()
    taken.push(performance.now() - startedAt)
  }
  return median(taken)
}

async function measureOurs(recording: Recording, folder: string): Promise<StorageResult['pilothouse']> {
  const file = join(folder, 'telemetry.db')
  const clock = new VirtualClock(recording.timesMs[0])
  const open = async () => {
    const store = unwrap(await openTelemetryStore({ file, clock }))
    const series = await store.registerSeries('local', recording.keys)
    return { store, ids: series.map(({ id }) => id) }
  }
  const { store, ids } = await open()

  // As it runs: a row a second, a commit each fourth. Three hours, so that roll-ups weigh in.
  const ticks = 3 * 3600
  const before = written()
  const cpuBefore = process.cpuUsage()
  let appendMs = 0
  let appended = 0
  for (const row of replay(recording, ticks)) {
    const startedAt = performance.now()
    store.append('local', ids, row)
    appendMs += performance.now() - startedAt
    clock.jumpWall(1000)
    if (++appended % 4 === 0) unwrap(await store.flush())
  }
  const cpuMillisecondsATick = cpuMs(cpuBefore) / ticks
  const after = written()
  await store[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
  mkdirSync(folder)

  // As fast as it goes: a day in lots of ten minutes.
  const day = await open()
  const startedAt = performance.now()
  let newestMs = 0
  let tick = 0
  for (const row of replay(recording, daySeconds)) {
    day.store.append('local', day.ids, row)
    newestMs = row.atMs
    clock.jumpWall(Math.max(0, newestMs - clock.nowMs()))
    if (++tick % 600 === 0) unwrap(await day.store.flush())
  }
  unwrap(await day.store.flush())
  const samplesASecond = (daySeconds * ids.length) / ((performance.now() - startedAt) / 1000)
  await closeWindows(day.store, clock, file)

  const chart = (hours: number, maxPoints: number) => {
    let next = 0
    return async () => {
      const seriesId = day.ids[(next += 7) % day.ids.length] ?? 0
      const range = { fromMs: newestMs - hours * 3_600_000, toMs: newestMs, maxPoints }
      return unwrap(await day.store.chart({ hostId: 'local', seriesIds: [seriesId], ...range }))
    }
  }
  const whole = await chart(24, 100_000)()
  const pointCount = whole.series[0]?.timesMs.length ?? 0
  if (whole.stepMs !== 0 || pointCount < daySeconds * 0.99) throw new Error(`a day of ${pointCount} points`)
  const chartCpuBefore = process.cpuUsage()
  const chart24hOfSecondsMedianMs = await medianMs(41, chart(24, 100_000))
  const chart24hOfSecondsCpuMs = cpuMs(chartCpuBefore) / 41
  const chart24hIn1000PointsMedianMs = await medianMs(41, chart(24, 1000))
  const chart1hOfSecondsMedianMs = await medianMs(41, chart(1, 4000))
  await day.store[Symbol.asyncDispose]()

  const db = new Sqlite(file, { readonly: true })
  const chunkBytes = db.prepare('SELECT sum(length(body)) FROM chunk WHERE res = 0').pluck().get() as number
  db.close()
  return {
    bytesASample: chunkBytes / (daySeconds * ids.length),
    fileBytesASample: statSync(file).size / (daySeconds * ids.length),
    bytesWrittenATick: perTick(before?.calls, after?.calls, ticks),
    bytesToDiskATick: perTick(before?.disk, after?.disk, ticks),
    cpuMillisecondsATick,
    appendMicrosecondsARow: (appendMs * 1000) / ticks,
    samplesASecond,
    chart24hOfSecondsMedianMs,
    chart24hOfSecondsCpuMs,
    chart24hIn1000PointsMedianMs,
    chart1hOfSecondsMedianMs,
  }
}

/** Lets the upkeep of a silent host close every window, so that the chunks hold all samples. */
async function closeWindows(store: TelemetryStore, clock: VirtualClock, file: string): Promise<void> {
  const db = new Sqlite(file, { readonly: true })
  const tailRows = db.prepare('SELECT count(*) FROM tail').pluck()
  clock.jumpWall(1_200_000)
  for (let tries = 0; (tailRows.get() as number) > 0; tries++) {
    if (tries > 1000) throw new Error('the tail was not closed')
    unwrap(await store.flush())
    // Upkeep comes after the answer; another commit at once would only push it further back.
    await setTimeout(20)
  }
  db.close()
}

async function measureRows(recording: Recording, folder: string): Promise<StorageResult['rows']> {
  const file = join(folder, 'rows.db')
  const db = new Sqlite(file)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = NORMAL')
  db.exec('CREATE TABLE sample (series INT, ts INT, value REAL, PRIMARY KEY (series, ts)) WITHOUT ROWID')
  const put = db.prepare('INSERT INTO sample VALUES (?, ?, ?)')
  const commit = db.transaction((rows: { atMs: number; values: Float64Array }[], width: number) => {
    for (const { atMs, values } of rows) for (let s = 0; s < width; s++) put.run(s, atMs, values[s])
  })
  const width = recording.keys.length
  const before = written()
  const startedAt = performance.now()
  let waiting: { atMs: number; values: Float64Array }[] = []
  for (const row of replay(recording, recording.rows.length)) {
    waiting.push(row)
    if (waiting.length < 4) continue
    commit(waiting, width)
    waiting = []
  }
  commit(waiting.splice(0), width)
  const samplesASecond = (recording.rows.length * width) / ((performance.now() - startedAt) / 1000)
  const after = written()
  db.pragma('wal_checkpoint(TRUNCATE)')
  const bytesASample = statSync(file).size / (recording.rows.length * width)
  db.exec('DELETE FROM sample')
  // A day of twelve series lies on the pages of one series as a day of all would.
  for (const row of replay(recording, daySeconds)) {
    waiting.push(row)
    if (waiting.length < 3600) continue
    commit(waiting, 12)
    waiting = []
  }
  const read = db.prepare('SELECT ts, value FROM sample WHERE series = ? AND ts >= 0 ORDER BY ts').raw()
  let next = 0
  const chart24hOfSecondsMedianMs = await medianMs(15, async () => {
    const rows = read.all((next += 5) % 12) as [number, number][]
    const times = new Float64Array(rows.length)
    const values = new Float64Array(rows.length)
    rows.forEach(([ts, value], i) => {
      times[i] = ts
      values[i] = value
    })
    return [times, values]
  })
  db.close()
  return {
    bytesASample,
    bytesWrittenATick: perTick(before?.calls, after?.calls, recording.rows.length),
    samplesASecond,
    chart24hOfSecondsMedianMs,
  }
}

/** The recording with every value as it comes back from our chunks. */
function asKept(recording: Recording): Recording {
  const columns = recording.keys.map(({ unit }, key) => {
    const values = Float64Array.from(recording.rows, (row) => row[key] ?? NaN)
    const block = {
      timesMs: Float64Array.from(recording.timesMs),
      columns: [{ key, ...precisionOf(unit), values }],
    }
    return decodeBlock(encodeBlock(block)).columns[0]?.values ?? values
  })
  return {
    ...recording,
    rows: recording.rows.map((_, i) => Float64Array.from(columns, (column) => column[i] ?? NaN)),
  }
}

function measurePrometheus(recording: Recording, folder: string): { chunks: number; all: number } | null {
  const families = Map.groupBy(
    recording.keys.keys(),
    (key) => recording.keys[key]?.name.replaceAll('.', '_') ?? '',
  )
  const lines: string[] = []
  for (const [name, keys] of families) {
    lines.push(`# TYPE ${name} gauge`)
    for (const key of keys) {
      const labels = Object.entries({ host: 'local', ...recording.keys[key]?.labels })
      const text = labels.map(([label, value]) => `${label}=${JSON.stringify(value)}`).join(',')
      recording.rows.forEach((row, i) => {
        lines.push(`${name}{${text}} ${row[key]} ${((recording.timesMs[i] ?? 0) / 1000).toFixed(3)}`)
      })
    }
  }
  lines.push('# EOF', '')
  const input = join(folder, 'recording.om')
  const output = join(folder, 'blocks')
  writeFileSync(input, lines.join('\n'))
  try {
    execFileSync('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', '-q', input, output])
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return null
    throw thrown
  }
  const sizes = readdirSync(output, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => ({ path: entry.parentPath, size: statSync(join(entry.parentPath, entry.name)).size }))
  rmSync(output, { recursive: true })
  const sum = (list: typeof sizes) => list.reduce((total, { size }) => total + size, 0)
  return { chunks: sum(sizes.filter(({ path }) => path.endsWith('chunks'))), all: sum(sizes) }
}

export async function run(): Promise<StorageResult> {
  const recording = loadRecording(fixture)
  const sampleCount = recording.rows.length * recording.keys.length
  const isConstant = (key: number) => recording.rows.every((row) => row[key] === recording.rows[0]?.[key])
  const folder = mkdtempSync(join(tmpdir(), 'pilothouse-bench-'))
  const own = join(folder, 'own')
  mkdirSync(own)
  try {
    const pilothouse = await measureOurs(recording, own)
    const rows = await measureRows(recording, folder)
    const asRead = measurePrometheus(recording, folder)
    const rounded = measurePrometheus(asKept(recording), folder)
    return {
      recording: {
        seriesCount: recording.keys.length,
        constantSeriesCount: [...recording.keys.keys()].filter(isConstant).length,
        seconds: recording.rows.length,
        sampleCount,
      },
      pilothouse,
      rows,
      prometheus: asRead &&
        rounded && {
          bytesASample: asRead.chunks / sampleCount,
          bytesASampleRounded: rounded.chunks / sampleCount,
          bytesASampleWithIndex: asRead.all / sampleCount,
        },
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

if (import.meta.main) {
  const { recording, pilothouse, rows, prometheus } = await run()
  const show = (value: number | null | undefined, digits = 2) => value?.toFixed(digits) ?? '-'
  console.log(
    `${recording.seriesCount} series (${recording.constantSeriesCount} constant) x ${recording.seconds} s of a real host`,
  )
  console.table({
    'bytes a sample at rest': {
      pilothouse: show(pilothouse.bytesASample),
      rows: show(rows.bytesASample),
      prometheus: show(prometheus?.bytesASample),
      'prometheus, our rounding': show(prometheus?.bytesASampleRounded),
    },
    'the same with index and all else': {
      pilothouse: show(pilothouse.fileBytesASample),
      rows: show(rows.bytesASample),
      prometheus: show(prometheus?.bytesASampleWithIndex),
    },
    'bytes written a tick': {
      pilothouse: show(pilothouse.bytesWrittenATick, 0),
      rows: show(rows.bytesWrittenATick, 0),
    },
    'bytes to disk a tick': { pilothouse: show(pilothouse.bytesToDiskATick, 0) },
    'CPU a tick, ms': { pilothouse: show(pilothouse.cpuMillisecondsATick, 3) },
    'append, us a row': { pilothouse: show(pilothouse.appendMicrosecondsARow, 1) },
    'million samples a second': {
      pilothouse: show(pilothouse.samplesASecond / 1e6),
      rows: show(rows.samplesASecond / 1e6),
    },
    'chart of 24 h at 1 s, ms': {
      pilothouse: show(pilothouse.chart24hOfSecondsMedianMs),
      rows: show(rows.chart24hOfSecondsMedianMs),
    },
    'the same, CPU ms': { pilothouse: show(pilothouse.chart24hOfSecondsCpuMs) },
    'chart of 24 h in 1000 points, ms': { pilothouse: show(pilothouse.chart24hIn1000PointsMedianMs) },
    'chart of 1 h at 1 s, ms': { pilothouse: show(pilothouse.chart1hOfSecondsMedianMs) },
  })
}
