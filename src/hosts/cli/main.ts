import { thisSystem } from '../../adapters/config/index.ts'
import { outputTo } from './output.ts'
import { personAt } from './person.ts'
import { runCli } from './program.ts'
import type { Bundle } from './serve-command.ts'

/** Runs this process's command line and gives its exit code. */
export const main = (workingDirectory: string, bundle: Bundle): Promise<number> =>
  runCli(process.argv.slice(2), {
    out: outputTo(process.stdout, process.env),
    err: outputTo(process.stderr, process.env),
    person: personAt(process.stdin, process.stderr),
    system: thisSystem(workingDirectory),
    bundle,
  })
