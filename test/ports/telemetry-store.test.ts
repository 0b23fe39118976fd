import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openTelemetryStore } from '../../src/adapters/stores/telemetry/index.ts'
import { describeTelemetryStore } from './telemetry-store.suite.ts'

describeTelemetryStore('SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pilothouse-store-'))
  return {
    open: (clock) => openTelemetryStore({ file: join(folder, 'telemetry.db'), clock }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
})
