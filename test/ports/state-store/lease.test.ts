import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Result } from '../../../src/base/index.ts'
import {
  openStateStore,
  type StateStore,
  type StateStoreOptions,
} from '../../../src/adapters/stores/state/index.ts'
import { VirtualClock } from '../../support/clock.ts'
import { person } from '../../support/person.ts'

let directory: string
let clock: VirtualClock
const open: StateStore[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pilothouse-lease-'))
  clock = new VirtualClock(Date.UTC(2026, 0, 2, 3, 4, 5))
})
afterEach(async () => {
  for (const store of open.splice(0)) await store[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true, force: true })
})

const a = { host: 'machine-a', pid: 11 }
const b = { host: 'machine-b', pid: 22 }

/** A database that several machines reach: no file lock tells engines apart. */
const attempt = (more: Partial<StateStoreOptions>) =>
  openStateStore({ file: join(directory, 'state.sqlite'), clock, isShared: true, ...more })

async function opened(more: Partial<StateStoreOptions>): Promise<StateStore> {
  const store = value(await attempt(more))
  open.push(store)
  return store
}

function value<T>(result: Result<T>): T {
  if (!result.ok) throw result.error
  return result.value
}

const entry = { atMs: 1, actor: person('mira'), action: 'x', target: 'checkout', why: '', details: {} }
const release = {
  service: 'checkout',
  id: 'r1',
  artifact: { kind: 'command' as const, argv: ['run'], env: {} },
  parameters: {},
  note: '',
  createdAtMs: 1,
  createdBy: person('mira'),
}
const commit = ({ stores }: StateStore) =>
  stores.work.commit([
    { kind: 'addRelease', release },
    { kind: 'addAudit', entry },
  ])

describe('the lease of the state database', () => {
  it('is refused while its owner is alive, naming the owner, since when, and what to do', async () => {
    await opened({ holder: a })
    await clock.advance(120_000)
    const refused = await attempt({ holder: b })
    expect(refused).toMatchObject({ error: { code: 'STORE_BUSY', details: a } })
    const message = refused.ok ? '' : refused.error.message
    expect(message).toMatch(/process 11 on machine-a, since .*2026/)
    expect(message).toContain('--data-dir')
  })

  it('passes on once it has expired; what its old owner then commits fails whole', async () => {
    const stalled = new VirtualClock(clock.nowMs())
    const old = await opened({ holder: a, clock: stalled })
    value(await commit(old))
    await clock.advance(29_000)
    expect(await attempt({ holder: b })).toMatchObject({ error: { code: 'STORE_BUSY' } })
    await clock.advance(1000)
    const next = await opened({ holder: b })

    const late = { ...release, id: 'r2' }
    const refused = await old.stores.work.commit([
      { kind: 'addRelease', release: late },
      { kind: 'addAudit', entry },
    ])
    expect(refused).toMatchObject({ error: { code: 'STORE_BUSY' } })
    expect(refused.ok ? '' : refused.error.message).toContain('taken over by process 22 on machine-b')
    expect(old.status().isWritable).toBe(false)
    expect(await next.stores.releases.find('checkout', 'r2')).toMatchObject({ error: { code: 'NOT_FOUND' } })
    expect(value(await next.stores.audit.auditFrom(1, 9))).toHaveLength(1)
    await stalled.advance(10_000)
    value(await commit(next))
    expect(next.status().isWritable).toBe(true)
  })

  it('passes on at once when its owner lets go of it', async () => {
    const first = value(await attempt({ holder: a }))
    await first[Symbol.asyncDispose]()
    value(await commit(await opened({ holder: b })))
  })

  it('passes on at once when its owner was a process of this machine that is gone', async () => {
    const { pid } = spawnSync(process.execPath, ['--version'])
    await opened({ holder: { host: 'here', pid } })
    value(await commit(await opened({ holder: { host: 'here', pid: process.pid } })))
  })
})
