import Sqlite from 'better-sqlite3'
import { sql } from 'kysely'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Result } from '../../../src/base/index.ts'
import { openStateStore, type StateStore } from '../../../src/adapters/stores/state/index.ts'
import type { Migration } from '../../../src/adapters/stores/state/migrate.ts'
import { migrations } from '../../../src/adapters/stores/state/migrations/index.ts'
import type { AuditEntry, Bin, Deployment, Release } from '../../../src/contract/index.ts'
import { audited, findBreak, link, type AuditDraft } from '../../../src/engine/audit/index.ts'
import { verifyAudit } from '../../../src/engine/audit/index.ts'
import type { EvidenceChange } from '../../../src/engine/canary/index.ts'
import { buildPlan, type ServiceRecord, type StoredEvent } from '../../../src/engine/deployments/index.ts'
import { VirtualClock } from '../../support/clock.ts'
import { uneventful } from '../../support/uneventful.ts'
import { person } from '../../support/person.ts'

let directory: string
let store: StateStore

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'pilothouse-deployments-'))
  store = await opened()
})
afterEach(async () => {
  await store[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true, force: true })
})

const file = () => join(directory, 'state.sqlite')

async function opened(): Promise<StateStore> {
  return value(await openStateStore({ file: file(), clock: new VirtualClock(1_700_000_000_000) }))
}

function value<T>(result: Result<T>): T {
  if (!result.ok) throw result.error
  return result.value
}

interface Committed {
  events?: StoredEvent[]
  deployments?: Deployment[]
  services?: ServiceRecord[]
  releases?: Release[]
  evidence?: Omit<EvidenceChange, 'kind'>[]
  audit?: AuditDraft[]
}

const commit = ({
  events = [],
  deployments = [],
  services = [],
  releases = [],
  evidence = [],
  audit: entries = [],
}: Committed) =>
  store.stores.work.commit([
    ...events.map((each) => ({ kind: 'addEvent' as const, event: each })),
    ...deployments.map((each) => ({ kind: 'putDeployment' as const, deployment: each })),
    ...services.map((service) => ({ kind: 'putService' as const, service })),
    ...releases.map((each) => ({ kind: 'addRelease' as const, release: each })),
    ...evidence.map((each) => ({ ...each, kind: 'addEvidence' as const })),
    ...audited(entries),
  ])

const release = (id: string, argv = ['run', id]): Release => ({
  service: 'checkout',
  id,
  artifact: { kind: 'command', argv, env: {} },
  parameters: {},
  note: '',
  createdAtMs: 1,
  createdBy: person('mira'),
})

const deployment = (id: string, changes: Partial<Deployment> = {}): Deployment => ({
  id,
  service: 'checkout',
  stableReleaseId: 'r1',
  candidateReleaseId: 'r2',
  phase: 'stepping',
  pauseCause: null,
  reason: 'r2 gets 10%',
  plan: value(buildPlan()),
  stepIndex: 0,
  stepStartedAtMs: null,
  weight: 10,
  validation: null,
  judgement: null,
  log: [],
  createdBy: person('mira'),
  why: 'Cart totals',
  createdAtMs: 100,
  endedAtMs: null,
  revision: 1,
  personRevision: 0,
  ...changes,
})

const event = (deploymentId: string, seq: number): StoredEvent => ({
  deploymentId,
  seq,
  atMs: 100 + seq,
  elapsedMs: 0.5,
  event: { kind: 'resumed', by: person('mira'), why: `${seq}` },
})

const bin = (atMs: number, releaseId: string, requests = 5): Bin => ({
  atMs,
  durationMs: 1000,
  releaseId,
  requests,
  errors: 1,
  ...uneventful,
  timeouts: 0,
  inFlight: 0,
  oldestInFlightMs: 0,
  latencyCounts: [1, 2],
})

const audit = (action: string, actor = person('mira')) => ({
  atMs: 5.5,
  actor,
  action,
  target: 'checkout',
  why: '',
  details: { b: 1, a: [2, { z: 'ä' }] },
})

describe('the deployments of the state database', () => {
  it('keep a service as whoever wrote it last has left it: a change of what it was before is refused', async () => {
    const record = {
      name: 'checkout',
      stableReleaseId: 'r1',
      instances: 2,
      automationStopped: null,
      scaling: null,
      endedEmergencyKey: null,
      revision: 4,
    }
    value(await commit({ services: [record] }))
    const stop = { by: person('mira'), atMs: 3, reason: 'no' }
    value(await commit({ services: [{ ...record, automationStopped: stop, revision: 5 }] }))
    const late = await commit({
      services: [{ ...record, stableReleaseId: 'r2', revision: 5 }],
      releases: [release('r9')],
    })
    expect(late).toMatchObject({ ok: false, error: { code: 'CONFLICT' } })
    expect(value(await store.stores.services.find('checkout'))).toMatchObject({
      stableReleaseId: 'r1',
      automationStopped: stop,
      revision: 5,
    })
    expect(await store.stores.releases.find('checkout', 'r9')).toMatchObject({ ok: false })
  })

  it('give back what was committed after the database was closed and opened again', async () => {
    const memory = { any: 'thing' } as never
    const record = {
      name: 'checkout',
      stableReleaseId: 'r1',
      instances: 2,
      automationStopped: { by: person('mira'), atMs: 3, reason: 'no' },
      scaling: { instances: 3, pending: { by: person('mira'), why: 'more visitors', openIds: ['d1'] } },
      endedEmergencyKey: 'shop:emergency:1',
      revision: 4,
    }
    value(
      await commit({
        events: [event('d1', 1), event('d1', 2)],
        deployments: [deployment('d1')],
        services: [record],
        releases: [release('r1'), release('r2')],
        evidence: [{ deploymentId: 'd1', bins: [bin(2, 'r2'), bin(1, 'r1')], memory, cursor: 'c7' }],
      }),
    )
    await store[Symbol.asyncDispose]()
    store = await opened()
    const { services, releases, deployments, evidence } = store.stores
    expect(value(await services.find('checkout'))).toEqual(record)
    expect(value(await services.find('cart'))).toBeNull()
    expect(value(await releases.find('checkout', 'r2'))).toEqual(release('r2'))
    expect(value(await releases.newest('checkout', 9)).map(({ id }) => id)).toEqual(['r2', 'r1'])
    expect(value(await deployments.find('d1'))).toEqual(deployment('d1'))
    expect(value(await deployments.openOf('checkout'))).toEqual([
      { events: [event('d1', 1), event('d1', 2)], memory, cursor: 'c7' },
    ])
    expect(value(await evidence.binsOf('d1'))).toEqual([bin(1, 'r1'), bin(2, 'r2')])
  })

  it('keeps the minutes of a service over a restart, and drops those that are too old', async () => {
    const keep = (service: string, minutes: Bin[], fromMs: number) =>
      store.stores.work.commit([{ kind: 'keepTraffic', service, minutes, fromMs }])
    value(await keep('checkout', [bin(60_000, 'r1'), bin(120_000, 'r1')], 0))
    value(await keep('search', [bin(180_000, 'r7')], 100_000))
    await store[Symbol.asyncDispose]()
    store = await opened()
    expect(value(await store.stores.traffic.minutesOf('checkout'))).toEqual([bin(120_000, 'r1')])
    expect(value(await store.stores.traffic.minutesOf('search'))).toEqual([bin(180_000, 'r7')])
  })

  it('are kept whole or not at all: a taken event leaves nothing of its commit behind', async () => {
    value(await commit({ events: [event('d1', 1)], deployments: [deployment('d1')] }))
    const second = await commit({
      deployments: [deployment('d1', { weight: 99 })],
      releases: [release('r9')],
      audit: [audit('deployments.start')],
      events: [event('d1', 1)],
    })
    expect(second).toMatchObject({ ok: false, error: { code: 'CONFLICT' } })
    expect(value(await store.stores.deployments.find('d1')).weight).toBe(10)
    expect(await store.stores.releases.find('checkout', 'r9')).toMatchObject({ error: { code: 'NOT_FOUND' } })
    expect(value(await store.stores.audit.audit({ limit: 9 }))).toEqual([])
    expect(store.status().isWritable).toBe(true)
  })

  it('say that no space is left, keep what they had, and make the state unwritable to all who ask', async () => {
    await store[Symbol.asyncDispose]()
    const narrow: Migration = {
      version: 9000,
      name: 'narrow',
      up: async (database) => void (await sql`PRAGMA max_page_count = 100`.execute(database)),
    }
    const clock = new VirtualClock(1_700_000_000_000)
    store = value(await openStateStore({ file: file(), clock, migrations: [...migrations, narrow] }))
    value(await commit({ audit: [audit('a')] }))
    const large = { ...audit('b'), details: { text: 'x'.repeat(1_000_000) } }
    expect(await commit({ audit: [large] })).toMatchObject({ ok: false, error: { code: 'STORE_FULL' } })
    expect(store.status()).toMatchObject({ isWritable: false })
    expect(store.status().reason).toContain('No space is left')
    expect(value(await store.stores.audit.auditFrom(1, 9))).toHaveLength(1)
    value(await commit({ audit: [audit('c')] }))
    expect(store.status().isWritable).toBe(true)
  })

  it('take the same release twice and refuse another one under its name', async () => {
    value(await commit({ releases: [release('r1')] }))
    value(await commit({ releases: [{ ...release('r1'), createdBy: person('other'), createdAtMs: 9 }] }))
    expect(await commit({ releases: [release('r1', ['other'])] })).toMatchObject({
      error: { code: 'CONFLICT' },
    })
    expect(value(await store.stores.releases.find('checkout', 'r1')).createdBy).toEqual(person('mira'))
  })

  it('are listed newest first by every filter, page by page', async () => {
    const all = [
      deployment('d1', { service: 'cart', endedAtMs: 9, phase: 'promoted', createdAtMs: 1 }),
      deployment('d2', { why: '100% "sure"', createdAtMs: 2 }),
      deployment('d3', {
        phase: 'rolled_back',
        createdBy: person('cli'),
        candidateReleaseId: 'r3',
        createdAtMs: 3,
      }),
    ]
    for (const each of all) value(await commit({ deployments: [each] }))
    const ids = async (filter: object) =>
      value(await store.stores.deployments.list({ limit: 9, ...filter })).map(({ id }) => id)
    expect(await ids({})).toEqual(['d3', 'd2', 'd1'])
    expect(await ids({ limit: 1 })).toEqual(['d3'])
    expect(await ids({ beforeId: 'd3' })).toEqual(['d2', 'd1'])
    expect(await ids({ service: 'cart' })).toEqual(['d1'])
    expect(await ids({ phases: ['rolled_back', 'promoted'] })).toEqual(['d3', 'd1'])
    expect(await ids({ releaseId: 'r3' })).toEqual(['d3'])
    expect(await ids({ createdBy: 'cli' })).toEqual(['d3'])
    expect(await ids({ text: '% "SURE' })).toEqual(['d2'])
    expect(await ids({ fromMs: 2, toMs: 3 })).toEqual(['d2'])
    const open = async (service: string) => value(await store.stores.deployments.openOf(service)).length
    expect(await open('checkout')).toBe(2)
    expect(await open('cart')).toBe(0)
  })

  it('keep an audit chain that is whole, and that shows who changed it behind our back', async () => {
    value(await commit({ audit: [audit('a'), audit('b', person('automation'))] }))
    value(await commit({ audit: [audit('c')] }))
    const chain = async () => value(await store.stores.audit.auditFrom(1, 100))
    expect((await chain()).map(({ seq, action }) => [seq, action])).toEqual([
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
    ])
    expect(findBreak(await chain())).toBeNull()
    expect(
      value(await store.stores.audit.audit({ limit: 9, actor: 'automation' })).map(({ seq }) => seq),
    ).toEqual([2])
    expect(value(await store.stores.audit.audit({ limit: 9, text: 'MIR' })).map(({ seq }) => seq)).toEqual([
      3, 1,
    ])
    await store[Symbol.asyncDispose]()
    const database = new Sqlite(file())
    expect(() => database.exec("UPDATE audit SET actor = 'nobody' WHERE seq = 2")).toThrow('not changed')
    database.exec("DROP TRIGGER audit_stay_on_update; UPDATE audit SET actor = 'nobody' WHERE seq = 2")
    database.close()
    store = await opened()
    expect(findBreak(await chain())).toMatchObject({ seq: 2 })
  })

  it('keep an audit chain that is whole after texts that neither UTF-8 nor C can hold', async () => {
    const texts = ['\ud800', 'half \udc00 of one', 'a\0b', '\ufeffmark', '\u2028', '😀'.repeat(300)]
    const entries = texts.map((text) => ({
      ...audit('a', person(text)),
      target: text,
      why: text,
      details: { [text]: text },
    }))
    value(await commit({ audit: entries }))
    expect(findBreak(value(await store.stores.audit.auditFrom(1, 100)))).toBeNull()
  })

  /** The last entry with other content and a hash that is right for it. */
  const forged = ([, , third]: readonly AuditEntry[]) => {
    if (!third) throw new Error('there is no third entry')
    const { seq, action, hash } = link(third, audit('forged'))
    return `UPDATE audit SET action = '${action}', hash = '${hash}' WHERE seq = ${seq}`
  }
  it.each([
    ['a changed entry', () => "UPDATE audit SET why = 'x' WHERE seq = 2", 2],
    ['details that are no JSON any more', () => "UPDATE audit SET details = '{' WHERE seq = 3", 3],
    ['a deleted one', () => 'DELETE FROM audit WHERE seq = 2', 3],
    [
      'two that were swapped',
      () =>
        'UPDATE audit SET seq = 9 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 9',
      2,
    ],
    ['an end that was cut off', () => 'DELETE FROM audit WHERE seq > 2', 3],
    ['a log that was emptied', () => 'DELETE FROM audit', 1],
    ['a last one with a hash of its own', forged, 4],
  ] as [string, (entries: readonly AuditEntry[]) => string, number][])(
    'name the first entry of an audit log that cannot be trusted: %s',
    async (_, tamper, firstBrokenSeq) => {
      value(await commit({ audit: ['a', 'b', 'c', 'd'].map((action) => audit(action)) }))
      expect(value(await verifyAudit(store.stores.audit))).toMatchObject({ isWhole: true, entryCount: 4 })
      const sql = tamper(value(await store.stores.audit.auditFrom(1, 100)))
      await store[Symbol.asyncDispose]()
      const database = new Sqlite(file())
      database.exec(`DROP TRIGGER audit_stay_on_update; DROP TRIGGER audit_stay_on_delete; ${sql}`)
      database.close()
      store = await opened()
      const broken = { isWhole: false, firstBrokenSeq }
      expect(value(await verifyAudit(store.stores.audit))).toMatchObject(broken)
      value(await commit({ audit: [audit('later')] }))
      expect(value(await verifyAudit(store.stores.audit)).isWhole).toBe(false)
    },
  )
})
