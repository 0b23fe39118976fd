import { basename } from 'node:path'

interface Interpreter {
  /** The script may stand behind one of these words; null: it stands first. */
  subcommands: readonly string[] | null
  /** Flags after which nothing is a script of this machine: code as an argument, a module by its name. */
  without: RegExp
  /** Flags with a value in the next argument. */
  valued: readonly string[]
  /** Flags without a value. After any other one, the next argument may be its value. */
  plain: RegExp
  /** What a script may lack at its end. */
  endings: readonly string[]
  /** A name without a slash is looked for on the PATH too. */
  isOnPath?: boolean
}

const node: Interpreter = {
  subcommands: null,
  without:
    /^(-|-e|-p|-pe|-i|--eval(=.*)?|--print(=.*)?|--interactive|--run(=.*)?|--test|-v|--version|-h|--help)$/,
  valued: [
    '-r',
    '--require',
    '--import',
    '--loader',
    '--experimental-loader',
    '-C',
    '--conditions',
    '--title',
  ],
  plain: /^--(enable-source-maps|no-[a-z-]+|trace-[a-z-]+|expose-gc|watch|inspect|inspect-brk)$/,
  endings: ['', '.js', '.json', '.node'],
}
const python: Interpreter = {
  subcommands: null,
  without: /^(-|-[A-Za-z]*[cm]|-V|--version|-h|--help)$/,
  valued: ['-W', '-X'],
  plain: /^-[bBdEhiIOPqsSuvx]+$/,
  endings: [''],
}
const shell: Interpreter = {
  subcommands: null,
  without: /^(-|-[A-Za-z]*[cs][A-Za-z]*|--version|--help)$/,
  valued: ['-o', '+o', '-O', '+O', '--rcfile', '--init-file'],
  plain: /^([-+][abefhiklmnprtuvxBCEHPT]+|--(login|norc|noprofile|posix|restricted|verbose))$/,
  endings: [''],
  isOnPath: true,
}
const deno: Interpreter = {
  subcommands: ['run', 'serve'],
  without: /^-$/,
  valued: [
    '-c',
    '--config',
    '--import-map',
    '--cert',
    '--location',
    '--port',
    '--host',
    '--seed',
    '-L',
    '--log-level',
  ],
  plain:
    /^(-[AqNRWESr]+|--(allow|deny|no)-[a-z-]+|--quiet|--cached-only|--watch|--check|--unstable-[a-z-]+)$/,
  endings: [''],
}
const bun: Interpreter = {
  subcommands: ['run'],
  without: /^(-|-e|-p|--eval(=.*)?|--print(=.*)?|-v|--version|-h|--help)$/,
  valued: [
    '-r',
    '--preload',
    '--require',
    '--import',
    '--env-file',
    '-c',
    '--config',
    '--cwd',
    '--port',
    '-F',
    '--filter',
  ],
  plain: /^--(watch|hot|smol|bun|silent|no-[a-z-]+)$/,
  endings: ['', '.ts', '.tsx', '.js', '.jsx', '.mjs', '.cjs'],
}

function interpreterOf(program: string): Interpreter | null {
  const name = basename(program.replaceAll('\\', '/'))
    .toLowerCase()
    .replace(/\.exe$/, '')
  if (/^node(js)?$/.test(name)) return node
  if (/^(python|pypy)[0-9.]*$/.test(name)) return python
  if (/^(sh|bash|dash|ash|ksh)$/.test(name)) return shell
  if (name === 'deno') return deno
  return name === 'bun' ? bun : null
}

/** A script that a command names: the arguments that may be it, in order, and how it is looked for. */
export interface NamedScript {
  /** All but the last may be the value of a flag that is not known here; where all are doubtful, the script is unknown. */
  candidates: readonly string[]
  isCertain: boolean
  endings: readonly string[]
  isOnPath: boolean
}

/** The script that an interpreter is told to run; null where the command runs none, or one that is not on this machine. */
export function scriptOf([program = '', ...rest]: readonly string[]): NamedScript | null {
  const interpreter = interpreterOf(program)
  if (!interpreter) return null
  const { subcommands, without, valued, plain, endings, isOnPath = false } = interpreter
  const args = [...rest]
  const isRun = subcommands !== null && subcommands.includes(args[0] ?? '')
  if (isRun) args.shift()
  const candidates: string[] = []
  let isCertain = false
  let isDoubtful = false
  let areFlagsOver = false
  for (let i = 0; i < args.length; i++) {
    const argument = args[i] ?? ''
    if (!areFlagsOver && argument === '--') {
      areFlagsOver = true
      isDoubtful = false
    } else if (!areFlagsOver && without.test(argument)) return null
    else if (!areFlagsOver && /^[-+]./.test(argument)) {
      if (valued.includes(argument)) i += 1
      isDoubtful = !valued.includes(argument) && !argument.includes('=') && !plain.test(argument)
    } else {
      candidates.push(argument)
      isCertain = !isDoubtful
      if (isCertain) break
      isDoubtful = false
    }
  }
  const last = candidates.at(-1)
  if (last === undefined || !isFile(interpreter, last, isRun)) return null
  return { candidates, isCertain, endings, isOnPath }
}

/** Whether an argument names a file: not an address, not what a package names, not what is only known at the start. */
function isFile(interpreter: Interpreter, argument: string, isRun: boolean): boolean {
  if (/^[a-z][a-z0-9+.-]+:/i.test(argument) || argument.includes('{port}')) return false
  const looksLikeFile = /[/\\]|\.[cm]?[jt]sx?$/i.test(argument)
  if (interpreter === bun) return looksLikeFile
  return interpreter !== deno || isRun || looksLikeFile
}
