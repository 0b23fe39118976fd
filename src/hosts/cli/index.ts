import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { thisSystem } from '../../adapters/config/index.ts'
import { outputTo } from './output.ts'
import { personAt } from './person.ts'
import { runCli } from './program.ts'
import type { Bundle } from './serve-command.ts'

/** In the bundle this file is dist/node/cli.js; in the source tree the screens are the built ones. */
function bundle(): Bundle {
  const worker = new URL('./telemetry-worker.js', import.meta.url)
  return existsSync(worker)
    ? { screens: fileURLToPath(new URL('../renderer', import.meta.url)), telemetryWorkerUrl: worker }
    : { screens: fileURLToPath(new URL('../../../dist/renderer', import.meta.url)) }
}

process.exitCode = await runCli(process.argv.slice(2), {
  out: outputTo(process.stdout),
  err: outputTo(process.stderr),
  person: personAt(process.stdin, process.stderr),
  system: thisSystem(),
  bundle: bundle(),
})
