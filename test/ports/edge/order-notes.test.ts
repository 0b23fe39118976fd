import { createRouterClient } from '@orpc/server'
import { readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { operator } from '../../../src/contract/index.ts'
import { AppError, fail, ok, silentLog } from '../../../src/base/index.ts'
import { readConfig } from '../../../src/adapters/config/index.ts'
import { systemClock } from '../../../src/adapters/system/index.ts'
import type { Change, Stores } from '../../../src/engine/stores.ts'
import { edgeDirectory, ensureEdge, stopEdge, upgradeEdge } from '../../../src/hosts/edge/index.ts'
import { openLocalEngine } from '../../../src/hosts/local-engine.ts'
import { takeEdgeOrders } from '../../../src/hosts/steering/index.ts'
import { emptySteering } from '../../support/empty-steering.ts'
import { person } from '../../support/person.ts'

const clock = systemClock()
let root: string
let directory: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ph-notes-'))
  directory = edgeDirectory(join(root, 'data'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

async function started() {
  const client = await ensureEdge({ directory, clock })
  if (!client.ok) throw client.error
  return client.value
}

async function stop() {
  await using client = await started()
  const stopped = await stopEdge(client, {
    directory,
    clock,
    by: person('ada'),
    withInstances: true,
    withinMs: 60_000,
  })
  if (!stopped.ok) throw stopped.error
}

/** What an engine that starts and ends then has on record. */
async function auditOfNextEngine() {
  writeFileSync(join(root, 'pilothouse.yaml'), `dataDirectory: ${join(root, 'data')}\n`)
  const { result } = await readConfig({
    system: { platform: 'linux', variables: {}, workingDirectory: root, home: root },
  })
  if (!result.ok) throw new Error('the config is mistaken')
  await using local = await openLocalEngine({ config: result.value, log: silentLog })
  const client = createRouterClient(local.engine.router, { context: { principal: operator('ada') } })
  return (await client.audit.list({ target: 'edge' })).toReversed()
}

describe('orders that the edge gets without an engine', () => {
  it('are in the audit log of the next engine, each once', async () => {
    await (await started())[Symbol.asyncDispose]()
    const upgraded = await upgradeEdge(directory, { by: person('ben'), log: silentLog })
    if (!upgraded.ok) throw upgraded.error
    const failed = await upgradeEdge(directory, {
      by: person('ben'),
      log: silentLog,
      program: { command: process.execPath, args: ['-e', 'process.exit(1)'] },
    })
    expect(failed.ok).toBe(false)
    await stop()
    const entries = await auditOfNextEngine()
    expect(entries).toMatchObject([
      {
        actor: person('ben'),
        action: 'platform.upgrade',
        details: { pidBefore: upgraded.value.from.pid, pid: upgraded.value.to.pid },
      },
      {
        actor: person('ben'),
        action: 'orders.refused',
        details: { order: 'platform.upgrade', code: 'UNAVAILABLE' },
      },
      { actor: person('ada'), action: 'platform.stop', details: { withInstances: true } },
    ])
    expect(await auditOfNextEngine()).toEqual(entries)
  })

  it('are kept while the store does not take them, and put on record once when an engine died after that', async () => {
    await stop()
    const kept = () => readdirSync(join(directory, 'orders'))
    const audit: { id: string }[] = []
    const { stores } = emptySteering()
    const storing = (commit: Stores['work']['commit']): Stores => ({
      ...stores,
      work: { commit },
      audit: {
        ...stores.audit,
        audit: ({ text }) => Promise.resolve(ok(audit.filter(({ id }) => id === text) as never[])),
      },
    })
    const note = (changes: readonly Change[]) => {
      for (const change of changes)
        if (change.kind === 'addAudit') audit.push({ id: String(change.entry.details['id']) })
    }
    const full = storing(() => Promise.resolve(fail(new AppError('STORE_FULL', 'no space'))))
    await takeEdgeOrders(directory, { stores: full, log: silentLog })
    expect(kept()).toHaveLength(1)
    const dies = storing((changes) => {
      note(changes)
      return Promise.reject(new Error('killed'))
    })
    await expect(takeEdgeOrders(directory, { stores: dies, log: silentLog })).rejects.toThrow('killed')
    expect(kept()).toHaveLength(1)
    const works = storing((changes) => {
      note(changes)
      return Promise.resolve(ok(undefined))
    })
    await takeEdgeOrders(directory, { stores: works, log: silentLog })
    expect(audit).toHaveLength(1)
    expect(kept()).toEqual([])
  })

  it('that cannot be read now stay, and keep nobody from the rest', async () => {
    await stop()
    symlinkSync('0-x.json', join(directory, 'orders', '0-x.json'))
    expect(await auditOfNextEngine()).toMatchObject([{ action: 'platform.stop' }])
    expect(readdirSync(join(directory, 'orders'))).toEqual(['0-x.json'])
  })

  it('that somebody has made unreadable keep nobody from the rest', async () => {
    await stop()
    writeFileSync(join(directory, 'orders', '0-x.json'), 'not json')
    expect(await auditOfNextEngine()).toMatchObject([{ action: 'platform.stop' }])
    expect(readdirSync(join(directory, 'orders'))).toEqual(['0-x.json.unreadable'])
  })
})
