import Sqlite from 'better-sqlite3'
import fc from 'fast-check'
import { sql } from 'kysely'
import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
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
import { seededRng } from '../../../src/base/index.ts'
import {
  openStateStore,
  type StateStore,
  type StateStoreOptions,
} from '../../../src/adapters/stores/state/index.ts'
import { checkOrder } from '../../../src/adapters/stores/schema/index.ts'
import type { Migration } from '../../../src/adapters/stores/state/migrate.ts'
import { migrations } from '../../../src/adapters/stores/state/migrations/index.ts'
import type { Notice } from '../../../src/contract/index.ts'
import { VirtualClock } from '../../support/clock.ts'
import { startWriter, type Writer } from './child.ts'

let directory: string
let file: string
let clock: VirtualClock
const open: StateStore[] = []
const writers: Writer[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pilothouse-state-'))
  file = join(directory, 'state.sqlite')
  clock = new VirtualClock(Date.UTC(2026, 0, 2, 3, 4, 5))
})
afterEach(async () => {
  for (const writer of writers.splice(0)) await writer.kill()
  for (const store of open.splice(0)) await store[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true, force: true })
})

/** Another process that holds the database and writes to it. */
function writing(...parameters: Parameters<typeof startWriter>): Writer {
  const writer = startWriter(...parameters)
  writers.push(writer)
  return writer
}

const attempt = (more: Partial<StateStoreOptions> = {}) => openStateStore({ file, clock, ...more })

async function opened(more: Partial<StateStoreOptions> = {}): Promise<StateStore> {
  const result = await attempt(more)
  if (!result.ok) throw result.error
  open.push(result.value)
  return result.value
}

async function closed(store: StateStore): Promise<void> {
  await store[Symbol.asyncDispose]()
  open.splice(open.indexOf(store), 1)
}

const notice = (id: string, more: Partial<Notice> = {}): Notice => ({
  id,
  atMs: clock.nowMs(),
  severity: 'info',
  text: `text of ${id}`,
  link: '/host/local',
  ...more,
})

async function ids(store: StateStore, limit = 100): Promise<string[]> {
  const newest = await store.newest(limit)
  if (!newest.ok) throw newest.error
  return newest.value.map(({ id }) => id)
}

const backups = () => readdirSync(join(directory, 'backups')).sort()

/** The schema's own newest step, in the names of backups. */
const newest = `v${migrations.at(-1)?.version}`

const later: Migration = {
  version: 9020,
  name: 'colours',
  up: async (database) => {
    await sql`CREATE TABLE colours (name TEXT NOT NULL) STRICT`.execute(database)
  },
}

describe('the journal', () => {
  it('gives back what was kept, newest first, after a restart too', async () => {
    const store = await opened()
    const [a, b] = [
      notice('a', { severity: 'critical', text: "quote ' and \0 nul", link: '' }),
      notice('b', { atMs: 0 }),
    ]
    await store.append(a)
    await store.append(b)
    expect(await store.newest(10)).toEqual({ ok: true, value: [b, a] })
    expect(await ids(store, 1)).toEqual(['b'])
    await closed(store)
    expect(await (await opened()).newest(10)).toEqual({ ok: true, value: [b, a] })
  })

  it('keeps a notice once, however often it is appended', async () => {
    const store = await opened()
    for (const text of ['first', 'second']) await store.append(notice('a', { text }))
    expect(await store.newest(10)).toMatchObject({ value: [{ text: 'first' }] })
  })

  it('keeps any text as it is', async () => {
    const store = await opened()
    await fc.assert(
      fc.asyncProperty(fc.uuid(), fc.string({ unit: 'grapheme' }), async (id, text) => {
        await store.append(notice(id, { text }))
        expect(await store.newest(1)).toMatchObject({ value: [{ id, text }] })
      }),
      { numRuns: 50 },
    )
  })

  it('puts a notice that grew in the place of the earlier one, as the newest', async () => {
    const store = await opened()
    for (const id of ['a', 'b']) await store.append(notice(id))
    expect((await store.replace(notice('a', { text: 'twice' }))).ok).toBe(true)
    expect(await store.newest(10)).toMatchObject({ value: [{ id: 'a', text: 'twice' }, { id: 'b' }] })
  })

  it('does not let a notice be changed afterwards', async () => {
    const store = await opened()
    await store.append(notice('a'))
    await closed(store)
    const direct = new Sqlite(file)
    expect(() => direct.exec("UPDATE notices SET text = 'forged'")).toThrow('notices are not changed')
    direct.close()
  })

  it('tells the run before, and whether it ended in order', async () => {
    const store = await opened()
    expect(await store.launchBefore('one')).toEqual({ ok: true, value: null })
    await store.launched({ epoch: 'one', version: '1.0.0', startedAtMs: 1 })
    expect(await store.launchBefore('one')).toEqual({ ok: true, value: null })
    await store.launched({ epoch: 'two', version: '1.0.1', startedAtMs: 2 })
    const killed = { epoch: 'one', version: '1.0.0', startedAtMs: 1, stoppedAtMs: null }
    expect(await store.launchBefore('two')).toEqual({ ok: true, value: killed })
    await store.stopped('two', 9)
    expect(await store.launchBefore('three')).toMatchObject({ value: { epoch: 'two', stoppedAtMs: 9 } })
  })

  it('is refused when it is closed', async () => {
    const store = await opened()
    await closed(store)
    expect(await store.append(notice('a'))).toMatchObject({ error: { code: 'UNAVAILABLE' } })
  })
})

describe('migrations', () => {
  it('stand in rising order', () => {
    expect(() => checkOrder(migrations)).not.toThrow()
    expect(() => checkOrder([later, ...migrations])).toThrow(
      'migration 10 journal must have a whole number above 9020',
    )
    expect(() => checkOrder([later, later])).toThrow()
    expect(() => checkOrder([{ ...later, version: 0 }])).toThrow()
  })

  it('have files that are named by number and name', () => {
    const source = new URL('../../../src/adapters/stores/state/migrations', import.meta.url)
    const names = readdirSync(source).filter((name) => name !== 'index.ts')
    expect(names.sort()).toEqual(
      migrations.map(({ version, name }) => `${String(version).padStart(4, '0')}-${name}.ts`),
    )
  })

  it('make strict tables only', async () => {
    await closed(await opened())
    const direct = new Sqlite(file, { readonly: true })
    const tables = direct.pragma('table_list') as { schema: string; name: string; strict: number }[]
    const own = tables.filter(({ schema, name }) => schema === 'main' && !name.startsWith('sqlite_'))
    direct.close()
    expect(own.length).toBeGreaterThan(3)
    for (const { name, strict } of own) expect([name, strict]).toEqual([name, 1])
  })

  it('copy the database as it was first, and keep what is in it', async () => {
    const store = await opened()
    await store.append(notice('a'))
    await closed(store)
    expect(await ids(await opened({ migrations: [...migrations, later] }))).toEqual(['a'])
    expect(backups()).toEqual([`state-${newest}-20260102T030405000Z.sqlite`])

    const copy = new Sqlite(join(directory, 'backups', `state-${newest}-20260102T030405000Z.sqlite`), {
      readonly: true,
    })
    expect(copy.prepare('SELECT id FROM notices').pluck().all()).toEqual(['a'])
    expect(copy.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'colours'").pluck().get()).toBe(0)
    copy.close()
  })

  it('happen whole or not at all', async () => {
    await closed(await opened())
    const broken: Migration = {
      version: 9030,
      name: 'broken',
      up: async (database) => {
        await sql`CREATE TABLE half (a TEXT) STRICT`.execute(database)
        await sql`INSERT INTO nowhere VALUES (1)`.execute(database)
      },
    }
    await expect(attempt({ migrations: [...migrations, later, broken] })).rejects.toThrow('nowhere')
    await closed(await opened())
    const direct = new Sqlite(file, { readonly: true })
    const made = direct.prepare("SELECT name FROM sqlite_schema WHERE name IN ('colours', 'half')").all()
    direct.close()
    expect(made).toEqual([])
  })

  it('of a newer version are refused, and the file is left as it is', async () => {
    await closed(await opened({ migrations: [...migrations, later] }))
    const before = readFileSync(file)
    const result = await attempt()
    expect(result).toMatchObject({
      error: { code: 'STORE_TOO_NEW', details: { found: 9020, known: migrations.at(-1)?.version } },
    })
    expect(readFileSync(file).equals(before)).toBe(true)
  })
})

describe('backups', () => {
  it('are made once a day and kept to the newest five', async () => {
    for (let launch = 0; launch < 20; launch++) {
      await closed(await opened())
      await clock.advance(12 * 60 * 60 * 1000)
    }
    expect(backups()).toHaveLength(5)
    expect(backups().at(-1)).toBe(`state-${newest}-20260111T150405000Z.sqlite`)
  })

  it('keep the newest of each schema beside them', async () => {
    await closed(await opened())
    for (let launch = 0; launch < 8; launch++) {
      await clock.advance(25 * 60 * 60 * 1000)
      await closed(await opened({ migrations: [...migrations, later] }))
    }
    expect(backups().filter((name) => name.startsWith(`state-${newest}-`))).toHaveLength(1)
    expect(backups().filter((name) => name.startsWith('state-v9020-'))).toHaveLength(5)
  })

  it('can be put in the place of the database', async () => {
    const store = await opened()
    await store.append(notice('a'))
    await closed(store)
    await closed(await opened())
    writeFileSync(file, 'not a database, and longer than a header of one by far'.repeat(100))
    copyFileSync(join(directory, 'backups', backups()[0] ?? ''), file)
    expect(await ids(await opened())).toEqual(['a'])
  })
})

describe('a damaged database', () => {
  async function filled(): Promise<void> {
    const store = await opened()
    for (let number = 0; number < 500; number++) await store.append(notice(`n${number}`))
    await closed(store)
    await closed(await opened())
  }

  it.each([
    ['overwritten at its start', () => writeFileSync(file, 'x'.repeat(8192))],
    ['cut short', () => truncateSync(file, statSync(file).size / 2)],
    [
      'torn in the middle',
      () => {
        const bytes = readFileSync(file)
        bytes.fill(0xa5, bytes.length / 2, bytes.length / 2 + 4096)
        writeFileSync(file, bytes)
      },
    ],
  ])('is refused, naming the newest backup, when it is %s', async (_how, damage) => {
    await filled()
    damage()
    const result = await attempt()
    expect(result).toMatchObject({ error: { code: 'STORE_CORRUPT' } })
    expect(!result.ok && result.error.message).toContain(join(directory, 'backups', backups()[0] ?? ''))
  })

  it('says so when there is no backup', async () => {
    writeFileSync(file, 'x'.repeat(8192))
    const result = await attempt()
    expect(!result.ok && result.error.message).toContain('There is no backup of it')
  })
})

describe('a database that cannot be had', () => {
  it('is told when another process has it, and had when that one is gone', async () => {
    const writer = writing(file)
    expect(await writer.next()).toBe('open')
    expect(await writer.next()).toBe('n1 true')
    const result = await attempt()
    expect(result).toMatchObject({ error: { code: 'STORE_BUSY', retryable: true } })
    await writer.kill()
    expect(await ids(await opened(), 100_000)).toContain('n1')
  })

  it('is told when a file is where its directory should be', async () => {
    writeFileSync(join(directory, 'taken'), '')
    expect(await attempt({ file: join(directory, 'taken', 'state.sqlite') })).toMatchObject({
      error: { code: 'STORE_UNWRITABLE' },
    })
  })

  it('is told when its own name is taken by a directory', async () => {
    expect(await attempt({ file: directory })).toMatchObject({ error: { code: 'STORE_UNWRITABLE' } })
  })

  it.skipIf(process.platform !== 'linux')(
    'shows as not writable while the disk takes nothing, and recovers',
    async () => {
      const writer = writing(file, 1, ['prlimit', '--fsize=500000:unlimited'])
      const until = async (isEnough: (line: string) => boolean) => {
        for (let line = await writer.next(); line !== undefined; line = await writer.next()) {
          if (isEnough(line)) return line
        }
        return undefined
      }
      expect(await until((line) => line.startsWith('STORE_'))).toMatch(/^STORE_(UNWRITABLE|FULL) false$/)
      execFileSync('prlimit', ['--pid', String(writer.pid()), '--fsize=unlimited:unlimited'])
      expect(await until((line) => line.startsWith('n'))).toMatch(/^n\d+ true$/)
      await writer.kill()
      expect((await ids(await opened(), 10_000)).length).toBeGreaterThan(10)
    },
  )
})

describe('a process killed while it writes', () => {
  it('leaves every notice that was told as kept, and none that was not written', async () => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 1e9)
    const rng = seededRng(seed)
    let kept = 0
    for (let round = 0; round < 8; round++) {
      const writer = writing(file, kept + 1)
      expect(await writer.next(), `seed ${seed}`).toBe('open')
      const acknowledged: string[] = []
      const stopAfter = Math.floor(rng.next() * 60)
      while (acknowledged.length < stopAfter) acknowledged.push((await writer.next()) ?? '')
      acknowledged.push(...(await writer.kill()))

      const told = acknowledged.map((line) => Number(/^n(\d+) true$/.exec(line)?.[1]))
      const store = await opened()
      const numbers = (await ids(store, 100_000)).reverse().map((id) => Number(id.slice(1)))
      expect(numbers, `seed ${seed}`).toEqual(Array.from({ length: numbers.length }, (_, index) => index + 1))
      const last = told.at(-1) ?? kept
      expect(numbers.length, `seed ${seed}`).toBeGreaterThanOrEqual(last)
      expect(numbers.length, `seed ${seed}`).toBeLessThanOrEqual(last + 1)
      kept = numbers.length
      await closed(store)
    }
    expect(kept).toBeGreaterThan(0)
  })
})
