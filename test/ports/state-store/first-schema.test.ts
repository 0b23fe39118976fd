import Sqlite from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { seededRng, silentLog, type Result } from '../../../src/base/index.ts'
import { openAuditSeal, openStateStore } from '../../../src/adapters/stores/state/index.ts'
import { migrate } from '../../../src/adapters/stores/state/migrate.ts'
import { migrations } from '../../../src/adapters/stores/state/migrations/index.ts'
import { audited, chainStart, verifyAudit } from '../../../src/engine/audit/index.ts'
import { VirtualClock } from '../../support/clock.ts'
import { engineActor } from '../../../src/contract/index.ts'
import { person } from '../../support/person.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pilothouse-first-schema-'))
})
afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

const value = <T>(result: Result<T>): T => {
  if (!result.ok) throw result.error
  return result.value
}

const release = {
  service: 'checkout',
  id: 'r1',
  artifact: { kind: 'command', argv: ['run'], env: {} },
  parameters: {},
  note: 'first',
  createdAtMs: 1,
  createdBy: 'mira',
}
/** With the hash that the version of that time made. */
const entry = {
  seq: 1,
  atMs: 5,
  actor: 'mira',
  action: 'releases.add',
  target: 'checkout',
  why: '',
  details: { releaseId: 'r1' },
  previousHash: chainStart.hash,
  hash: 'd912da29753080ed71ca855b4860bae8193bd4073354fca94d6038e27349ad97',
}

/** A database as the first version that deployed left it, with a row in each table. */
async function firstDatabase(file: string): Promise<void> {
  const sqlite = new Sqlite(file)
  const database = new Kysely<unknown>({ dialect: new SqliteDialect({ database: sqlite }) })
  const first = migrations.filter(({ version }) => version <= 20)
  await migrate(database, first, 1)
  const insert = (table: string, ...values: unknown[]) =>
    sqlite.prepare(`INSERT INTO ${table} VALUES (${values.map(() => '?').join(', ')})`).run(...values)
  insert('notices', 1, 'n1', 1, 'info', 'started', '/')
  insert('launches', 1, 'e1', '0.1.0', 1, 2)
  const stopped = JSON.stringify({ by: 'ben', atMs: 1, reason: 'errors' })
  insert('services', 'checkout', 'r1', 2, stopped, 3)
  insert('releases', 1, 'checkout', 'r1', JSON.stringify(release))
  const logged = { atMs: 1, severity: 'info', actor: 'pilothouse', text: 'r1 starts' }
  const deployment = {
    id: 'd1',
    service: 'checkout',
    candidateReleaseId: 'r1',
    endedAtMs: null,
    createdBy: 'mira',
    log: [logged],
  }
  const body = JSON.stringify(deployment)
  insert('deployments', 1, 'd1', 'checkout', 'stepping', null, 'r1', 'mira', 1, null, '', '', body)
  const event = JSON.stringify({ kind: 'resumed', by: 'mira', why: '' })
  insert('deployment_events', 'd1', 1, 1, 0.5, event)
  insert('evidence_bins', 'd1', 1, 'r1', JSON.stringify({ atMs: 1, releaseId: 'r1' }))
  insert('judge_states', 'd1', JSON.stringify({ strikes: 1 }), 'c1')
  const { seq, atMs, actor, action, target, why, details, previousHash, hash } = entry
  insert('audit', seq, atMs, actor, action, target, why, JSON.stringify(details), previousHash, hash)
  await database.destroy()
}

it('opens a database of the first schema: everything is readable, a copy of it stays, and work goes on', async () => {
  const file = join(directory, 'state.sqlite')
  await firstDatabase(file)
  const seal = openAuditSeal(directory, { rng: seededRng(3), log: silentLog })
  const clock = new VirtualClock(1_700_000_000_000)
  await using store = value(await openStateStore({ file, clock, seal }))
  expect(readdirSync(join(directory, 'backups'))).toEqual([expect.stringMatching(/^state-v20-/)])

  const { services, declarations, traffic, releases, deployments, evidence, audit, work } = store.stores
  expect(value(await store.newest(9))).toMatchObject([{ id: 'n1', text: 'started' }])
  expect(value(await store.launchBefore('e2'))).toMatchObject({ epoch: 'e1', version: '0.1.0' })
  expect(value(await services.find('checkout'))).toEqual({
    name: 'checkout',
    stableReleaseId: 'r1',
    instances: 2,
    automationStopped: { by: person('ben'), atMs: 1, reason: 'errors' },
    scaling: null,
    endedEmergencyKey: null,
    revision: 3,
  })
  expect(value(await declarations.all())).toEqual([])
  expect(value(await traffic.minutesOf('checkout'))).toEqual([])
  expect(value(await releases.find('checkout', 'r1'))).toEqual({ ...release, createdBy: person('mira') })
  expect(value(await deployments.find('d1'))).toMatchObject({
    createdBy: person('mira'),
    log: [{ actor: engineActor }],
  })
  expect(value(await deployments.openOf('checkout'))).toMatchObject([
    {
      events: [{ seq: 1, event: { kind: 'resumed', by: person('mira') } }],
      memory: { strikes: 1 },
      cursor: 'c1',
    },
  ])
  expect(value(await evidence.binsOf('d1'))).toEqual([{ atMs: 1, releaseId: 'r1' }])
  expect(value(await audit.auditFrom(1, 9))).toEqual([
    { ...entry, actor: { kind: 'unrecorded', name: 'mira' } },
  ])

  value(await work.commit(audited([{ ...entry, actor: person('mira'), atMs: 6, why: 'after the upgrade' }])))
  expect(value(await verifyAudit(audit))).toMatchObject({ entryCount: 2, isWhole: true })
})
