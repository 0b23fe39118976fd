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

/** Written before anything else goes on, however slowly the other side reads: a line of this size goes whole or not. */
function tell(line: string): void {
  for (;;) {
    try {
      writeSync(1, line)
      return
    } catch (thrown) {
      if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'EAGAIN')) throw thrown
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    }
  }
}

const [file = '', start = '0'] = process.argv.slice(2)
const clock = new VirtualClock(Number(start))
const opened = await openTelemetryStore({ file, clock })
if (!opened.ok) throw opened.error
const store = opened.value
const ids = (await store.registerSeries('local', killedKeys)).map(({ id }) => id)
for (;;) {
  const atMs = clock.nowMs()
  store.append('local', ids, { atMs, values: killedValues(atMs) })
  tell(`${atMs}\n`)
  await clock.advance(1000)
  while (store.status().pendingRowCount >= 5) await new Promise((resolve) => setImmediate(resolve))
}
