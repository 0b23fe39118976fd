import { loadConfig } from '../../engine/config/index.ts'
import { silentLog } from '../../engine/core/index.ts'
import { serve } from '../serve/index.ts'
import { homedir } from 'node:os'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

// The shortest way to a running engine; the command line proper takes its place.
const [, , command, ...rest] = process.argv
const flag = (name: string) => rest[rest.indexOf(name) + 1]
if (command !== 'serve') process.exit(2)
const loaded = loadConfig({
  file: null,
  variables: {},
  flags: rest.includes('--port')
    ? ([{ name: '--port', path: 'server.port', text: flag('--port') ?? '0' }] as never)
    : [],
  places: {
    workingDirectory: process.cwd(),
    home: homedir(),
    dataDirectory: rest.includes('--data-dir')
      ? (flag('--data-dir') ?? '')
      : `${homedir()}/.local/share/pilothouse`,
  },
})
if (!loaded.ok) throw new Error(JSON.stringify(loaded.error))
const bundled = new URL('./telemetry-worker.js', import.meta.url)
const fromSource = fileURLToPath(new URL('../../../dist/renderer', import.meta.url))
const isBundled = existsSync(bundled)
const served = await serve({
  config: loaded.value,
  log: silentLog,
  ...(isBundled ? { telemetryWorkerUrl: bundled } : { screens: fromSource }),
})
process.stdout.write(`${served.url}\n`)
const stop = () => void served[Symbol.asyncDispose]().then(() => process.exit(0))
process.on('SIGINT', stop)
process.on('SIGTERM', stop)
