/**
 * A recorder to be killed: appends a row each second of a clock of its own, as fast as the store takes them, and
 * tells each time on its standard output before it goes on. Never more than 5 rows are uncommitted, as in real time.
 *
 * node telemetry-store.kill-child.ts FILE START_MS
 */
import { writeSync } from 'node:fs'
import { openTelemetryStore } from '../../src/adapters/stores/telemetry/index.ts'
import { VirtualClock } from '../support/clock.ts'
import { killedKeys, killedValues } from './telemetry-store.kill-rows.ts'

const [file = '', start = '0'] = process.argv.slice(2)
const clock = new VirtualClock(Number(start))
const opened = await openTelemetryStore({ file, clock })
if (!opened.ok) throw opened.error
const store = opened.value
const ids = (await store.registerSeries('local', killedKeys)).map(({ id }) => id)
for (;;) {
  const atMs = clock.nowMs()
  store.append('local', ids, { atMs, values: killedValues(atMs) })
  writeSync(1, `${atMs}\n`)
  await clock.advance(1000)
  while (store.status().pendingRowCount >= 5) await new Promise((resolve) => setImmediate(resolve))
}
