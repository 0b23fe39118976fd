import { parseArgs } from 'node:util'
import { EdgeFailure, limitsSchema } from '../../edge/index.ts'
import { messageOf } from '../../engine/core/index.ts'
import { runEdge } from './run-edge.ts'

// The edge as a process of its own: `edge.js --directory PATH [--limits JSON]`.
const { values } = parseArgs({ options: { directory: { type: 'string' }, limits: { type: 'string' } } })
if (values.directory === undefined) {
  process.stderr.write('pilothouse edge: --directory PATH is needed\n')
  process.exit(2)
}
try {
  await runEdge({
    directory: values.directory,
    limits: limitsSchema.parse(JSON.parse(values.limits ?? '{}')),
    environment: process.env,
    onReady: (socketPath) => process.stdout.write(`edge serves at ${socketPath}\n`),
  })
  // Children that run on without us must not keep this process.
  process.exit(0)
} catch (failure) {
  process.stderr.write(`pilothouse edge: ${messageOf(failure)}\n`)
  process.exit(failure instanceof EdgeFailure ? 1 : 70)
}
