import { thisSystem } from '../../../src/adapters/config/index.ts'
import { outputTo } from '../../../src/hosts/cli/output.ts'
import { personAt } from '../../../src/hosts/cli/person.ts'
import { runCli } from '../../../src/hosts/cli/program.ts'

// The command line as src/hosts/cli/index.ts runs it, with screens that need no build.
const [, , screens = '', ...args] = process.argv
process.exitCode = await runCli(args, {
  out: outputTo(process.stdout),
  err: outputTo(process.stderr),
  person: personAt(process.stdin, process.stderr),
  system: thisSystem(),
  bundle: { screens },
})
