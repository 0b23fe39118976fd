import { buildProgram, runCli, type CliSurroundings } from '../../src/hosts/cli/program.ts'
import type { Output } from '../../src/hosts/cli/output.ts'
import type { Person } from '../../src/hosts/cli/person.ts'

export interface CommandLine {
  /** Working directory and home. */
  directory: string
  variables?: Record<string, string>
  /** Cells of the terminal; infinite where nobody looks. */
  width?: number
  person?: Person
}

const nobody: Person = { isThere: false, ask: () => Promise.resolve('') }

function surroundings({ directory, variables = {}, width = Infinity, person = nobody }: CommandLine) {
  const text = { stdout: '', stderr: '' }
  const to = (stream: 'stdout' | 'stderr'): Output => ({
    write: (written) => void (text[stream] += written),
    isClosed: () => false,
    isTerminal: false,
    width,
    isColoured: false,
    style: (_format, written) => written,
  })
  const around: CliSurroundings = {
    out: to('stdout'),
    err: to('stderr'),
    system: { platform: process.platform, variables, home: directory, workingDirectory: directory },
    bundle: { screens: 'none' },
    person,
  }
  return { text, around }
}

/** Runs a command line in this process. */
export async function commandLine(args: readonly string[], where: CommandLine) {
  const { text, around } = surroundings(where)
  const code = await runCli(args, around)
  return { code, ...text }
}

/** The tree of all commands. */
export const theProgram = () => buildProgram(surroundings({ directory: '/' }).around, () => undefined)
