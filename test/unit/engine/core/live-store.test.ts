import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LiveDiff, LiveRecordKey, LiveRecords } from '../../../../src/contract/index.ts'
import { emptyDiff, LiveStore, squash } from '../../../../src/engine/core/index.ts'

const key = fc.constantFrom<LiveRecordKey>('engine', 'config', 'health', 'notices', 'host:a')
const change = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), key, value: fc.nat() }),
  fc.record({ kind: fc.constant('remove' as const), key }),
)
type Change = { kind: 'put'; key: LiveRecordKey; value: number } | { kind: 'remove'; key: LiveRecordKey }

const diffOf = (one: Change): LiveDiff =>
  one.kind === 'put'
    ? { put: { [one.key]: one.value } as unknown as Partial<LiveRecords>, removed: [] }
    : { put: {}, removed: [one.key] }

function apply(records: Partial<LiveRecords>, diff: LiveDiff): Partial<LiveRecords> {
  const next = { ...records, ...diff.put }
  for (const removed of diff.removed) delete next[removed]
  return next
}

describe('the live store', () => {
  it('tells one squashed diff that leads to the same records as every change one by one', () => {
    fc.assert(
      fc.property(fc.array(change), fc.array(change), (before, changes) => {
        const start = before.map(diffOf).reduce(apply, {})
        const squashed = changes.map(diffOf).reduce(squash, emptyDiff())
        expect(apply(start, squashed)).toEqual(changes.map(diffOf).reduce(apply, start))
      }),
    )
  })

  it('gives its listeners all writes of a turn as one diff', async () => {
    const store = new LiveStore()
    const diffs: LiveDiff[] = []
    using _subscription = store.subscribe((diff) => diffs.push(diff))
    store.put('notices', [])
    store.put('health', { score: 1, severity: 'ok', reasons: [] })
    store.put('health', { score: 2, severity: 'ok', reasons: [] })
    store.remove('notices')
    await Promise.resolve()
    expect(diffs).toEqual([
      { put: { health: { score: 2, severity: 'ok', reasons: [] } }, removed: ['notices'] },
    ])
  })

  it('stays silent when the same value is put again or nothing is there to remove', async () => {
    const store = new LiveStore()
    const health = { score: 1, severity: 'ok' as const, reasons: [] }
    store.put('health', health)
    await Promise.resolve()
    let told = 0
    using _subscription = store.subscribe(() => (told += 1))
    store.put('health', health)
    store.remove('config')
    await Promise.resolve()
    expect(told).toBe(0)
  })
})
