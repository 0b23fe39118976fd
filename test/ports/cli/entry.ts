import { main } from '../../../src/hosts/cli/main.ts'

// The command line as src/hosts/cli/start.ts runs it, with screens that need no build.
const [program = '', entry = '', screens = '', ...args] = process.argv
process.argv = [program, entry, ...args]
process.exitCode = await main(process.cwd(), { screens })
