import Sqlite from 'better-sqlite3'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AppError, seededRng, silentLog, type Result } from '../../../src/base/index.ts'
import {
  openAuditSeal,
  openStateStore,
  type StateStore,
  type StateStoreOptions,
} from '../../../src/adapters/stores/state/index.ts'
import { verifyAudit } from '../../../src/engine/audit/index.ts'
import type { Change, Changes } from '../../../src/engine/stores.ts'
import { VirtualClock } from '../../support/clock.ts'
import { uneventful } from '../../support/uneventful.ts'
import { person } from '../../support/person.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pilothouse-unit-of-work-'))
})
afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

const file = () => join(directory, 'state.sqlite')
const anchor = () => readFileSync(join(directory, 'audit.anchor'), 'utf8')

async function opened(more: Partial<StateStoreOptions> = {}): Promise<StateStore> {
  const clock = new VirtualClock(1_700_000_000_000)
  const seal = openAuditSeal(directory, { rng: seededRng(3), log: silentLog })
  return value(await openStateStore({ file: file(), clock, seal, ...more }))
}

function value<T>(result: Result<T>): T {
  if (!result.ok) throw result.error
  return result.value
}

/** Of each aggregate one change; `n` tells two commits apart. */
function changesOf(n: number): { [Aggregate in keyof Changes]: Changes[Aggregate] } {
  const bin = {
    atMs: n * 60_000,
    durationMs: 1000,
    releaseId: 'r1',
    requests: 5,
    errors: 1,
    ...uneventful,
    timeouts: 0,
    inFlight: 0,
    oldestInFlightMs: 0,
    latencyCounts: [1, 2],
  }
  const release = {
    service: 'checkout',
    id: `r${n}`,
    artifact: { kind: 'command' as const, argv: ['run'], env: {} },
    parameters: {},
    note: '',
    createdAtMs: 1,
    createdBy: person('mira'),
  }
  const record = {
    stableReleaseId: null,
    instances: 1,
    automationStopped: null,
    scaling: null,
    endedEmergencyKey: null,
  }
  const declaration = {
    service: `s${n}`,
    written: {},
    by: person('mira'),
    atMs: 1,
    revision: 1,
    isLeaving: false,
  }
  const event = { kind: 'resumed' as const, by: person('mira'), why: '' }
  const notice = { id: `n${n}`, atMs: 1, severity: 'info' as const, text: 'x', link: '/' }
  const entry = {
    atMs: 1,
    actor: person('mira'),
    action: 'releases.add',
    target: 'checkout',
    why: '',
    details: {},
  }
  return {
    journal: { kind: 'addNotice', notice },
    services: { kind: 'putService', service: { name: 'checkout', ...record, revision: n } },
    declarations: { kind: 'putDeclaration', declaration },
    traffic: { kind: 'keepTraffic', service: 'checkout', minutes: [bin], fromMs: 0 },
    releases: { kind: 'addRelease', release },
    deployments: {
      kind: 'addEvent',
      event: { deploymentId: 'd1', seq: n, atMs: 1, elapsedMs: 1, event },
    },
    evidence: { kind: 'addEvidence', deploymentId: `d${n}`, bins: [bin], memory: null, cursor: null },
    audit: { kind: 'addAudit', entry },
  }
}

const aggregates = Object.keys(changesOf(1)) as (keyof Changes)[]
const all = (n: number): Change[] => Object.values(changesOf(n))

/** All that is in the tables of a closed database, but when it was last probed and who held it. */
function contents(): Record<string, unknown> {
  const database = new Sqlite(file(), { readonly: true })
  const tables = database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('write_probe', 'lease')")
    .pluck()
    .all() as string[]
  const rows = tables.map((name) => [name, database.prepare(`SELECT * FROM ${name}`).all()] as const)
  database.close()
  return Object.fromEntries(rows)
}

describe('a unit of work', () => {
  it('stores a change of each aggregate in one commit', async () => {
    await using store = await opened()
    value(await store.stores.work.commit(all(1)))
    expect(value(await store.newest(9))).toHaveLength(1)
    expect(value(await store.stores.services.find('checkout'))).toMatchObject({ revision: 1 })
    expect(value(await store.stores.declarations.all())).toHaveLength(1)
    expect(value(await store.stores.traffic.minutesOf('checkout'))).toHaveLength(1)
    expect(value(await store.stores.releases.newest('checkout', 9))).toHaveLength(1)
    expect(value(await store.stores.deployments.eventsOf('d1'))).toHaveLength(1)
    expect(value(await store.stores.evidence.binsOf('d1'))).toHaveLength(1)
    expect(value(await store.stores.audit.auditFrom(1, 9))).toHaveLength(1)
  })

  it.each(aggregates)(
    'leaves nothing behind when the store of %s fails after its own rows',
    async (failing) => {
      const first = await opened()
      value(await first.stores.work.commit(all(1)))
      await first[Symbol.asyncDispose]()
      const before = contents()
      const anchorBefore = anchor()
      const failed = await opened({
        participants: (participants) => ({
          ...participants,
          [failing]: {
            kinds: participants[failing].kinds,
            apply: async (transaction: never, changes: never) => {
              await participants[failing].apply(transaction, changes)
              throw new AppError('STORE_FULL', `${failing} failed`)
            },
          },
        }),
      })
      expect(await failed.stores.work.commit(all(2))).toMatchObject({
        error: { code: 'STORE_FULL', message: `${failing} failed` },
      })
      await failed[Symbol.asyncDispose]()
      expect(contents()).toEqual(before)
      expect(anchor()).toBe(anchorBefore)

      await using next = await opened()
      value(await next.stores.work.commit(all(2)))
      expect(value(await verifyAudit(next.stores.audit))).toMatchObject({ isWhole: true, entryCount: 2 })
    },
  )
})
