import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { leaveProcessOne } from '../init-process.ts'
import { standSomewhere } from '../working-directory.ts'
import type { Bundle } from './serve-command.ts'

/** In the bundle this file is dist/node/cli.js; in the source tree the screens are the built ones. */
function bundle(): Bundle {
  const worker = new URL('./telemetry-worker.js', import.meta.url)
  return existsSync(worker)
    ? { screens: fileURLToPath(new URL('../renderer', import.meta.url)), telemetryWorkerUrl: worker }
    : { screens: fileURLToPath(new URL('../../../dist/renderer', import.meta.url)) }
}

// Only what runs for long leaves anything behind.
if (['serve', 'demo'].includes(process.argv[2] ?? '')) leaveProcessOne()

// Before anything else is loaded: some libraries ask for the working directory while they load, and it may be gone.
const workingDirectory = standSomewhere()
const { main } = await import('./main.ts')
process.exitCode = await main(workingDirectory, bundle())
