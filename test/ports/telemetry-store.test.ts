import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openTelemetryStore } from '../../src/adapters/stores/telemetry/index.ts'
import { VirtualClock } from '../support/clock.ts'
import { describeTelemetryStore } from './telemetry-store.suite.ts'

describeTelemetryStore('SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pilothouse-store-'))
  return {
    open: (clock) => openTelemetryStore({ file: join(folder, 'telemetry.db'), clock }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
})

it('keeps by a retention that changes while the store is open', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pilothouse-store-'))
  const clock = new VirtualClock()
  const opened = await openTelemetryStore({ file: join(folder, 'telemetry.db'), clock })
  if (!opened.ok) throw opened.error
  await using store = opened.value
  const [series] = await store.registerSeries('local', [{ name: 'cpu.busy', labels: {}, unit: 'ratio' }])
  const append = (agoMs: number) =>
    store.append('local', [series?.id ?? 0], { atMs: clock.nowMs() - agoMs, values: Float64Array.of(0.5) })
  append(2 * 3_600_000)
  expect((await store.flush()).ok).toBe(true)
  expect(store.status().droppedRowCount).toBe(0)
  store.retain({ samplesMs: 3_600_000 })
  append(2 * 3_600_000)
  append(0)
  expect((await store.flush()).ok).toBe(true)
  expect(store.status().droppedRowCount).toBe(1)
  await store[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})
