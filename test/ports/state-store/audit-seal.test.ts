import Database from 'better-sqlite3'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { seededRng, silentLog, type Log } from '../../../src/base/index.ts'
import { openAuditSeal, openStateStore } from '../../../src/adapters/stores/state/index.ts'
import type { AuditEntry } from '../../../src/contract/index.ts'
import {
  audited,
  canonicalJson,
  chainStart,
  type Anchor,
  type ChainEnd,
} from '../../../src/engine/audit/index.ts'
import { exportAudit, verifyAudit } from '../../../src/engine/audit/log.ts'
import { newestAnchor } from '../../../src/hosts/cli/operations/audit.ts'
import { runCli } from '../../../src/hosts/cli/program.ts'
import { VirtualClock } from '../../support/clock.ts'
import { person } from '../../support/person.ts'

let directory: string
let file: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pilothouse-seal-'))
  file = join(directory, 'state.sqlite')
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const clock = new VirtualClock()
let launches = 0
const draft = (why: string) => ({ atMs: 1, actor: person('ada'), action: 'a', target: 't', why, details: {} })

interface Launch {
  against?: Anchor | undefined
  isSealed?: boolean
  log?: Log
  seed?: number
  /** The data directory is not new, whatever the database says. */
  wasUsed?: boolean
}

/** One launch of an engine on the directory: writes entries, then says what a check of the log finds. */
async function launch(whys: string[], options: Launch = {}) {
  const { isSealed = true, log = silentLog, seed = 3, wasUsed = false } = options
  const seal = isSealed ? openAuditSeal(directory, { rng: seededRng(seed), log }) : undefined
  const opened = await openStateStore({ file, clock, wasUsed, ...(seal ? { seal } : {}) })
  if (!opened.ok) throw opened.error
  await using store = opened.value
  for (const why of whys) {
    const stored = await store.stores.work.commit(audited([draft(why)]))
    if (!stored.ok) throw stored.error
  }
  await store.launched({ epoch: `${++launches}`, version: '1.2.3', startedAtMs: 1 })
  const verdict = await verifyAudit(store.stores.audit, options.against ?? null)
  if (!verdict.ok) throw verdict.error
  const entries = await store.stores.audit.auditFrom(1, 100)
  if (!entries.ok) throw entries.error
  return { ...verdict.value, entries: entries.value }
}

async function exported(format: 'jsonl' | 'csv'): Promise<string> {
  const seal = openAuditSeal(directory, { rng: seededRng(3), log: silentLog })
  const opened = await openStateStore({ file, clock, seal })
  if (!opened.ok) throw opened.error
  await using store = opened.value
  const made = await exportAudit(store.stores.audit, format)
  if (!made.ok) throw made.error
  return made.value.text
}

/** What the owner of the machine does to the database while no engine has it. */
function edit(change: (database: Database.Database) => void): void {
  const database = new Database(file)
  for (const trigger of ['audit_stay_on_update', 'audit_stay_on_delete'])
    database.exec(`DROP TRIGGER IF EXISTS ${trigger}`)
  change(database)
  database.close()
}

/** Rewrites the log as one in which every hash fits, and its noted end. */
function rehash(database: Database.Database, entries: readonly AuditEntry[]): void {
  let last: ChainEnd = chainStart
  database.exec('DELETE FROM audit')
  const insert = database.prepare('INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  for (const { hash: _, ...entry } of entries) {
    const linked = { ...entry, seq: last.seq + 1, previousHash: last.hash }
    const hash = createHash('sha256').update(canonicalJson(linked), 'utf8').digest('hex')
    const { seq, atMs, actor, action, target, why, details, previousHash } = linked
    const told = [action, target, why, JSON.stringify(details), previousHash, hash]
    insert.run(seq, atMs, actor.name, ...told, actor.kind)
    last = { seq, hash }
  }
  database.prepare('UPDATE audit_end SET seq = ?, hash = ?').run(last.seq, last.hash)
}

/** As an earlier version left it. */
const withoutKeys = (database: Database.Database) =>
  void database.exec("DROP TABLE audit_keys; DELETE FROM schema_migrations WHERE name = 'audit-keys'")

describe('the seal of the audit log', () => {
  it('holds over launches, and says so', async () => {
    await launch(['one', 'two'])
    expect(await launch(['three'])).toMatchObject({
      isWhole: true,
      entryCount: 3,
      text: expect.stringContaining('sealed') as string,
    })
  })

  it('tells of a log that was rewritten with hashes that fit, and of what is written after that', async () => {
    const { entries } = await launch(['one', 'two', 'three'])
    edit((database) =>
      rehash(
        database,
        entries.map((entry) => ({ ...entry, why: entry.why.replace('two', 'TWO') })),
      ),
    )
    expect(await launch([])).toMatchObject({ isWhole: false })
    expect(await launch(['four'])).toMatchObject({ isWhole: false })
    expect(await launch(['five'])).toMatchObject({ isWhole: false })
  })

  it('tells of newest entries that were taken off together with their noted end', async () => {
    const { entries } = await launch(['one', 'two', 'three'])
    edit((database) => rehash(database, entries.slice(0, 2)))
    expect(await launch([])).toMatchObject({ isWhole: false, firstBrokenSeq: 3 })
    expect(await launch(['four'])).toMatchObject({ isWhole: false, firstBrokenSeq: 4 })
  })

  it('tells of an earlier copy of the whole database that was put in its place', async () => {
    await launch(['one'])
    copyFileSync(file, `${file}.copy`)
    await launch(['two'])
    for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true })
    copyFileSync(`${file}.copy`, file)
    expect(await launch([])).toMatchObject({ isWhole: false, firstBrokenSeq: 2 })
  })

  it('tells of an emptied log, and of one whose database is gone', async () => {
    await launch(['one', 'two'])
    edit((database) => rehash(database, []))
    expect(await launch([])).toMatchObject({ isWhole: false, firstBrokenSeq: 1 })
    for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true })
    expect(await launch(['after'])).toMatchObject({ isWhole: false })
  })

  it('tells when the anchor beside the database was taken away or the key was replaced', async () => {
    await launch(['one'])
    rmSync(join(directory, 'audit.anchor'))
    expect(await launch([])).toMatchObject({
      isWhole: false,
      text: expect.stringContaining('audit.anchor is missing') as string,
    })
    writeFileSync(join(directory, 'audit.key'), `${'ab'.repeat(32)}\n`)
    expect(await launch([])).toMatchObject({ isWhole: false })
  })

  it.each([
    ['the log is emptied', ['audit']],
    ['the log and its noted end are emptied', ['audit', 'audit_end']],
    ['the record of keys is emptied too', ['audit', 'audit_end', 'audit_keys']],
  ])('tells that the key was replaced when key and anchor are removed and %s', async (_how, tables) => {
    await launch(['one', 'two'])
    for (const name of ['audit.key', 'audit.anchor']) rmSync(join(directory, name))
    edit((database) => {
      for (const table of tables) database.exec(`DELETE FROM ${table}`)
    })
    const told = {
      isWhole: false,
      text: expect.stringContaining('key of the audit log was replaced at entry') as string,
    }
    expect(await launch([], { seed: 4 })).toMatchObject(told)
    // It stays on record, whatever is written after it.
    expect(await launch(['three'], { seed: 5 })).toMatchObject(told)
  })

  it('tells that the key was replaced where nothing else was touched, from which entry on', async () => {
    await launch(['one', 'two'])
    rmSync(join(directory, 'audit.key'))
    expect(await launch(['three'], { seed: 4 })).toMatchObject({ isWhole: false, firstBrokenSeq: 3 })
  })

  it('says that the log begins anew, and not that its key was replaced, where the database alone was lost', async () => {
    const launchOnLost = (whys: string[]) => launch(whys, { wasUsed: true })
    await launch(['one', 'two'])
    for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true })
    for (const whys of [['three'], ['four']]) {
      const { isWhole, text } = await launchOnLost(whys)
      expect(isWhole).toBe(false)
      expect(text).toContain('The log starts over at entry 3')
      expect(text).not.toContain('replaced')
    }
    rmSync(join(directory, 'audit.key'))
    expect((await launch(['five'], { seed: 4 })).text).toContain('starts over at entry 3')
  })

  it('goes on with the key of an earlier version, which kept no record of keys', async () => {
    await launch(['one'])
    edit(withoutKeys)
    expect(await launch(['two'])).toMatchObject({ isWhole: true, entryCount: 2 })
    rmSync(join(directory, 'audit.key'))
    expect(await launch([], { seed: 4 })).toMatchObject({ isWhole: false, firstBrokenSeq: 3 })
  })

  it('compares with an entry of an export, also where key and anchor were forged', async () => {
    const { entries } = await launch(['one', 'two'])
    const against = entries[1] ?? chainStart
    expect(await launch([], { against })).toMatchObject({
      isWhole: true,
      text: expect.stringContaining('entry 2 is the same') as string,
    })
    for (const name of ['audit.key', 'audit.anchor']) rmSync(join(directory, name))
    edit((database) =>
      rehash(
        database,
        entries.map((entry) => ({ ...entry, actor: person('eve') })),
      ),
    )
    expect(await launch([], { against })).toMatchObject({ isWhole: false, firstBrokenSeq: 2 })
  })

  it.each(['jsonl', 'csv'] as const)(
    'a %s export ends with a sealed anchor, which a later check compares with and which names a replaced key',
    async (format) => {
      await launch(['one', 'two\n9,"forged"'])
      const file = await exported(format)
      const against = newestAnchor(file)
      expect(against).toMatchObject({ seq: 2, seal: expect.stringMatching(/^[0-9a-f]{64}$/) as string })
      expect(await launch(['three'], { against })).toMatchObject({ isWhole: true })
      for (const name of ['audit.key', 'audit.anchor']) rmSync(join(directory, name))
      expect(await launch(['four'], { against, seed: 4 })).toMatchObject({
        isWhole: false,
        text: expect.stringContaining('another key') as string,
      })
    },
  )

  it('begins on a log of an earlier version, whose entries keep their hashes', async () => {
    const before = await launch(['one', 'two'], { isSealed: false })
    edit(withoutKeys)
    const after = await launch(['three'])
    expect(after).toMatchObject({
      isWhole: true,
      entryCount: 3,
      text: expect.stringContaining('sealed') as string,
    })
    expect(after.entries.slice(0, 2)).toEqual(before.entries)
  })

  it('writes anchors into the log of the engine', async () => {
    const anchors: unknown[] = []
    const log: Log = {
      ...silentLog,
      info: (message, fields) => void (message === 'audit anchor' && anchors.push(fields)),
    }
    const { entries } = await launch(['one', 'two'], { log })
    expect(anchors).toMatchObject([{ seq: 1, hash: entries[0]?.hash }])
  })
})

describe('a log that no engine has open', () => {
  /** `pilothouse audit verify` on the data directory. */
  async function verified() {
    const text = { stdout: '', stderr: '' }
    const to = (stream: 'stdout' | 'stderr') => ({
      write: (written: string) => void (text[stream] += written),
      isClosed: () => false,
      isTerminal: false,
      width: Infinity,
      isColoured: false,
      style: (_format: string, written: string) => written,
    })
    const code = await runCli(['audit', 'verify', '--data-dir', directory], {
      out: to('stdout'),
      err: to('stderr'),
      system: { platform: process.platform, variables: {}, home: directory, workingDirectory: directory },
      bundle: { screens: 'none' },
      person: { isThere: false, ask: () => Promise.resolve('') },
    })
    return { code, ...text }
  }
  const kept = () =>
    ['state.sqlite', 'audit.key', 'audit.anchor'].map((name) => readFileSync(join(directory, name)))

  it('is verified where it lies, and nothing of it is changed', async () => {
    await launch(['one', 'two'])
    const before = kept()
    const { code, stdout, stderr } = await verified()
    expect(stdout).toMatch(/^2 entries/)
    expect(stderr).toMatch(/^No engine is running\. The log is read from /)
    expect(code).toBe(0)
    expect(kept()).toEqual(before)
  })

  it('is told to be broken when an entry was changed', async () => {
    await launch(['one', 'two'])
    const database = new Database(file)
    database.exec(`DROP TRIGGER audit_stay_on_update; UPDATE audit SET why = 'other' WHERE seq = 1`)
    database.close()
    expect(await verified()).toMatchObject({ code: 1 })
  })

  it('is vouched for by nothing when its key is gone, and gets no new one', async () => {
    await launch(['one'])
    rmSync(join(directory, 'audit.key'))
    const { code, stderr } = await verified()
    expect(code).toBe(1)
    expect(stderr).toContain('so the log cannot be verified')
    expect(existsSync(join(directory, 'audit.key'))).toBe(false)
  })
})
