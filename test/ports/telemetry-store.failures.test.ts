import Sqlite from 'better-sqlite3'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openTelemetryStore, type TelemetryStoreOptions } from '../../src/adapters/stores/telemetry/index.ts'
import type { SeriesKey, TelemetryStore } from '../../src/engine/telemetry/index.ts'
import { VirtualClock } from '../support/clock.ts'

/** How long a condition may take to come true on a machine that is busy. */
const patience = { timeout: 100_000 }
const startMs = Date.UTC(2026, 4, 2, 6, 0, 0)
const keys: SeriesKey[] = Array.from({ length: 12 }, (_, i) => ({
  name: 'cpu.core.busy',
  labels: { core: `${i}` },
  unit: 'ratio',
}))

/** Mounting needs root, as CI has it; elsewhere the skip says so. */
const canMount = process.platform === 'linux' && process.getuid?.() === 0

describe('the telemetry store in trouble', () => {
  let folder = ''
  let file = ''
  let clock: VirtualClock
  const stores: TelemetryStore[] = []
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pilothouse-store-'))
    file = join(folder, 'telemetry.db')
    clock = new VirtualClock(startMs)
  })
  afterEach(async () => {
    for (const store of stores.splice(0)) await store[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })

  async function open(options: Partial<TelemetryStoreOptions> = {}) {
    const opened = await openTelemetryStore({ file, clock, ...options })
    if (!opened.ok) throw opened.error
    stores.push(opened.value)
    const ids = (await opened.value.registerSeries('local', keys)).map(({ id }) => id)
    const append = (atMs: number, value: number) =>
      opened.value.append('local', ids, { atMs, values: new Float64Array(ids.length).fill(value) })
    const draw = async (fromMs: number, toMs: number, maxPoints = 100_000) => {
      const chart = await opened.value.chart({ hostId: 'local', seriesIds: ids, fromMs, toMs, maxPoints })
      if (!chart.ok) throw chart.error
      return chart.value
    }
    return { store: opened.value, ids, append, draw }
  }

  /** Three windows of a row each 10 s, all closed but the last. */
  async function recordThreeWindows() {
    const opened = await open()
    for (let second = 0; second < 1800; second += 10) {
      clock.jumpWall(10_000)
      opened.append(startMs + second * 1000, second / 1800)
      if (second % 300 === 290) await opened.store.flush()
    }
    await expect
      .poll(async () => {
        await opened.store.flush()
        return query<{ n: number }>('SELECT count(*) AS n FROM chunk WHERE res = 0')[0]?.n
      }, patience)
      .toBe(2)
    return opened
  }

  const query = <T>(sql: string): T[] => {
    const db = new Sqlite(file, { readonly: true })
    const rows = db.prepare(sql).all() as T[]
    db.close()
    return rows
  }
  const change = (sql: string) => {
    const db = new Sqlite(file)
    db.exec(sql)
    db.close()
  }
  const close = async ({ store }: { store: TelemetryStore }) => {
    stores.splice(stores.indexOf(store), 1)
    await store[Symbol.asyncDispose]()
  }
  const codeOfOpening = async () => {
    const opened = await openTelemetryStore({ file, clock })
    if (opened.ok) stores.push(opened.value)
    return opened.ok ? 'opened' : opened.error.code
  }

  it('shows a damaged chunk as one gap, counts it, and keeps everything else', async () => {
    await close(await recordThreeWindows())
    const [chunk] = query<{ id: number; body: Buffer }>(
      'SELECT id, body FROM chunk WHERE res = 0 ORDER BY t0 LIMIT 1',
    )
    const body = Buffer.from(chunk?.body ?? [])
    body[body.length >> 1] = (body[body.length >> 1] ?? 0) ^ 0x10
    const db = new Sqlite(file)
    db.prepare('UPDATE chunk SET body = ? WHERE id = ?').run(body, chunk?.id)
    db.close()
    const { store, draw } = await open()
    const chart = await draw(startMs, startMs + 1_800_000)
    expect(chart.series[0]?.timesMs.length).toBe(120)
    expect(chart.series[0]?.timesMs[0]).toBe(startMs + 600_000)
    await draw(startMs, startMs + 1_800_000)
    expect(store.status()).toMatchObject({ damagedChunkCount: 1, isWritable: true, notice: '' })
    const rolledUp = await draw(startMs, startMs + 1_799_999, 29)
    expect(rolledUp.series[0]?.mean.some((value) => Number.isNaN(value))).toBe(false)
  })

  it('goes on after a damaged row of the tail, which is a gap of seconds', async () => {
    const first = await recordThreeWindows()
    first.append(startMs + 1_800_000, 0.25)
    await close(first)
    change('UPDATE tail SET crc = crc + 1 WHERE seq = 0')
    const { store, append, draw } = await open()
    append(startMs + 1_810_000, 0.75)
    const chart = await draw(startMs, startMs + 1_820_000)
    expect(chart.series[0]?.mean.at(-1)).toBe(0.75)
    expect(store.status().damagedChunkCount).toBeGreaterThan(0)
  })

  it('refuses a database of a newer version and leaves it as it is', async () => {
    await close(await open())
    change('PRAGMA user_version = 99')
    const before = readFileSync(file)
    expect(await codeOfOpening()).toBe('STORE_TOO_NEW')
    expect(readFileSync(file).equals(before)).toBe(true)
  })

  it('refuses a database of another program and leaves it as it is', async () => {
    const db = new Sqlite(file)
    db.exec('CREATE TABLE somebody (elses TEXT)')
    db.close()
    const before = readFileSync(file)
    expect(await codeOfOpening()).toBe('CONFIG_INVALID')
    expect(readFileSync(file).equals(before)).toBe(true)
  })

  it('says UNAVAILABLE where the path cannot be a file', async () => {
    mkdirSync(file)
    expect(await codeOfOpening()).toBe('UNAVAILABLE')
  })

  for (const [what, damage] of [
    [
      'is not a database',
      () => writeFileSync(file, 'not a database at all, but long enough to look like one'.repeat(99)),
    ],
    ['was cut short', () => truncateSync(file, Math.floor(statSync(file).size / 4096 / 2) * 4096)],
    ['was cut within a page', () => truncateSync(file, 5000)],
    ['has noise where its hosts stood', () => overwritePage(file, 2)],
  ] as const) {
    it(`moves a file aside that ${what}, begins a fresh one and says so`, async () => {
      await close(await recordThreeWindows())
      damage()
      const { store, append, draw } = await open()
      await draw(startMs, startMs + 10_000_000)
      expect(store.status().notice).toContain(`${file}.damaged-`)
      expect(readdirSync(folder).filter((name) => name.includes('.damaged-')).length).toBe(1)
      append(startMs + 5000, 0.5)
      expect((await store.flush()).ok).toBe(true)
      expect(store.status()).toMatchObject({ isWritable: true, pendingRowCount: 0, droppedRowCount: 0 })
    })
  }

  it('begins afresh with the same series when the file goes bad while it is open', async () => {
    const { store, append, draw, ids } = await recordThreeWindows()
    change('PRAGMA wal_checkpoint(TRUNCATE)')
    for (let page = 1; page < statSync(file).size / 4096; page++) overwritePage(file, page)
    await expect
      .poll(async () => {
        append(clock.nowMs(), 0.5)
        clock.jumpWall(1000)
        await store.flush()
        await draw(startMs, clock.nowMs())
        return store.status().notice
      }, patience)
      .toContain('.damaged-')
    expect(await store.registerSeries('local', keys)).toMatchObject(ids.map((id) => ({ id })))
    append(clock.nowMs(), 0.5)
    expect((await store.flush()).ok).toBe(true)
    expect((await draw(startMs, clock.nowMs())).series[0]?.mean.at(-1)).toBe(0.5)
  })

  it('keeps no more than two damaged files', async () => {
    for (let i = 0; i < 4; i++) {
      clock.jumpWall(1000)
      writeFileSync(file, 'no database'.repeat(999))
      await close(await open())
    }
    expect(readdirSync(folder).filter((name) => name.includes('.damaged-')).length).toBe(2)
  })

  it('holds rows while another program locks the database, and writes them when it lets go', async () => {
    const { store, append, draw } = await open()
    const holder = spawn(
      process.execPath,
      [
        '-e',
        `const db = new (require('better-sqlite3'))(process.argv[1])
         db.exec('BEGIN IMMEDIATE')
         process.stdout.write('held')
         process.stdin.once('data', () => { db.exec('ROLLBACK'); db.close(); process.exit() })`,
        file,
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    )
    try {
      await once(holder.stdout, 'data')
      append(startMs, 0.5)
      const flushed = await store.flush()
      expect(flushed.ok ? '' : flushed.error.code).toBe('STORE_BUSY')
      expect(store.status()).toMatchObject({ isWritable: false, pendingRowCount: 1, droppedRowCount: 0 })
      expect(store.status().reason).toContain('Another program')
      expect((await draw(startMs, startMs + 1000)).series[0]?.mean[0]).toBe(0.5)
      holder.stdin.write('go')
      await once(holder, 'exit')
      append(startMs + 1000, 0.25)
      await clock.advance(5000)
      await expect.poll(() => store.status().pendingRowCount, patience).toBe(0)
      expect(store.status()).toMatchObject({ isWritable: true, reason: '', droppedRowCount: 0 })
      expect(Array.from((await draw(startMs, startMs + 1000)).series[0]?.mean ?? [])).toEqual([0.5, 0.25])
    } finally {
      holder.kill('SIGKILL')
    }
  })

  it.skipIf(!canMount)(
    `lives through a full disk with bounded memory, oldest rows first${canMount ? '' : ' (skipped: mounting needs root on Linux)'}`,
    async () => {
      const mount = join(folder, 'small')
      mkdirSync(mount)
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mount])
      try {
        file = join(mount, 'telemetry.db')
        const { store, append, draw } = await open({ pendingValueLimit: 12 * 100 })
        append(startMs, 0.5)
        expect((await store.flush()).ok).toBe(true)
        try {
          writeFileSync(join(mount, 'filler'), Buffer.alloc(1 << 20))
        } catch {
          // It takes all that is left, then fails: that is the point.
        }
        let code = ''
        for (let second = 1; second <= 1000 && code === ''; second++) {
          append(startMs + second * 1000, Math.fround(Math.sin(second)) ** 2)
          const flushed = await store.flush()
          if (!flushed.ok) code = flushed.error.code
        }
        expect(code).toBe('STORE_FULL')
        expect(store.status()).toMatchObject({ isWritable: false, droppedRowCount: 0 })
        const fullMs = startMs + 2_000_000
        for (let second = 0; second < 300; second++) append(fullMs + second * 1000, 0.125)
        await store.flush()
        const { pendingRowCount, droppedRowCount, reason } = store.status()
        expect(pendingRowCount).toBe(100)
        expect(droppedRowCount).toBe(201)
        expect(reason).toContain('No space')
        expect((await draw(fullMs, fullMs + 299_000)).series[0]?.timesMs.length).toBe(100)
        rmSync(join(mount, 'filler'))
        clock.jumpWall(1000)
        await clock.advance(5000)
        await expect.poll(() => store.status().isWritable, patience).toBe(true)
        expect(store.status()).toMatchObject({ pendingRowCount: 0, droppedRowCount: 201 })
        expect((await draw(fullMs, fullMs + 299_000)).series[0]?.timesMs[0]).toBe(fullMs + 200_000)
        await close({ store })
      } finally {
        execFileSync('umount', [mount])
      }
    },
  )

  it('starts its worker again when that dies, and loses no row that was appended meanwhile', async () => {
    const brittle = join(folder, 'brittle-worker.ts')
    const real = new URL('../../src/adapters/stores/telemetry/worker.ts', import.meta.url).href
    // The real worker, with a way to make it die as a defect would.
    writeFileSync(
      brittle,
      `import { existsSync, rmSync } from 'node:fs'
       setInterval(() => {
         if (!existsSync(${JSON.stringify(join(folder, 'die'))})) return
         rmSync(${JSON.stringify(join(folder, 'die'))})
         throw new Error('a defect')
       }, 5).unref()
       await import(${JSON.stringify(real)})`,
    )
    const { store, append, draw } = await open({ workerUrl: brittle })
    append(startMs, 0.5)
    expect((await store.flush()).ok).toBe(true)
    writeFileSync(join(folder, 'die'), '')
    await expect.poll(() => store.status().isWritable, patience).toBe(false)
    expect(store.status().reason).toContain('a defect')
    append(startMs + 1000, 0.25)
    const refused = await store.flush()
    expect(refused.ok ? '' : refused.error.code).toBe('UNAVAILABLE')
    await clock.advance(5000)
    await expect.poll(() => store.status().pendingRowCount, patience).toBe(0)
    expect(store.status()).toMatchObject({ isWritable: true, droppedRowCount: 0 })
    expect(Array.from((await draw(startMs, startMs + 1000)).series[0]?.mean ?? [])).toEqual([0.5, 0.25])
  })

  it('can be read by a copy of its file made while it runs, as a backup is', async () => {
    const { append, store } = await recordThreeWindows()
    append(startMs + 1_800_000, 1)
    await store.flush()
    const copy = join(folder, 'copy.db')
    for (const suffix of ['', '-wal']) cpSync(file + suffix, copy + suffix)
    file = copy
    const { draw } = await open()
    expect((await draw(startMs, startMs + 1_800_000)).series[0]?.mean.length).toBe(181)
  })
})

function overwritePage(file: string, page: number): void {
  const bytes = readFileSync(file)
  bytes.fill(0x5a, page * 4096, (page + 1) * 4096)
  writeFileSync(file, bytes)
}
