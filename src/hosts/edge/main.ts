import { parseArgs } from 'node:util'
import { AppError, messageOf } from '../../base/index.ts'
import { closeInherited } from '../../adapters/system/index.ts'
import { leaveProcessOne } from '../init-process.ts'
import { keptDescriptors } from './guard.ts'
import { runEdge } from './run-edge.ts'
import { standBy } from './standby.ts'
import { stoppedCode } from './unit.ts'

leaveProcessOne()

// It outlives whoever starts it, and holds nothing of theirs.
closeInherited(keptDescriptors(process.env))

// Its output may go to a file on a full disk, or to nobody: no reason to end.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)

// The edge as a process of its own: `edge.js --directory PATH [--standby]`. Under a service manager it stands by while
// another edge runs there, and its exit code tells an order to stop from everything after which to start again.
const { values } = parseArgs({
  options: { directory: { type: 'string' }, standby: { type: 'boolean', default: false } },
})
if (values.directory === undefined) {
  process.stderr.write('pilothouse edge: --directory PATH is required\n')
  process.exit(2)
}
try {
  const { directory, standby } = values
  if (standby && (await standBy(directory)) === 'stopped') process.exit(stoppedCode)
  const end = await runEdge({
    directory,
    environment: process.env,
    onReady: (socketPath) => process.stdout.write(`edge serves at ${socketPath}\n`),
  })
  // Children that run on without us must not keep this process.
  process.exit(standby && end === 'ordered' ? stoppedCode : 0)
} catch (failure) {
  process.stderr.write(`pilothouse edge: ${messageOf(failure)}\n`)
  process.exit(failure instanceof AppError ? 1 : 70)
}
