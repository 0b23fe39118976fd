import { access, constants, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join, resolve } from 'node:path'
import { messageOf } from '../../engine/core/index.ts'
import { failed, passed } from '../../engine/validation/index.ts'
import type { Run } from './surroundings.ts'

/** The release's program is there and may be executed, and its working directory is one. */
export const artifactCheck: Run = async ({ release }) => {
  const { argv, env, cwd } = release.artifact
  const [program = ''] = argv
  if (cwd !== undefined) {
    const trouble = await troubleOf(cwd, 'directory')
    if (trouble !== '') return failed(`The working directory ${cwd} of ${release.id} ${trouble}.`)
  }
  let trouble = 'is nowhere on the PATH'
  for (const file of placesOf(program, cwd, env['PATH'] ?? process.env['PATH'] ?? '')) {
    const found = await troubleOf(file, 'program')
    if (found === '') return passed(`The program of ${release.id} is ${file}.`)
    if (found !== missing || isPath(program)) trouble = found
  }
  return failed(`The program ${program} of ${release.id} ${trouble}.`)
}

const missing = 'does not exist'

const isPath = (program: string): boolean => /[/\\]/.test(program)

/** Where the system looks for a program: a path is taken from the working directory, a name on the PATH. */
function placesOf(program: string, cwd: string | undefined, path: string): string[] {
  const endings = process.platform === 'win32' ? ['', '.exe', '.com', '.cmd', '.bat'] : ['']
  const bases = isPath(program)
    ? [isAbsolute(program) ? program : resolve(cwd ?? '.', program)]
    : path
        .split(delimiter)
        .filter(Boolean)
        .map((directory) => join(directory, program))
  return bases.flatMap((base) => endings.map((ending) => base + ending))
}

/** A clause, or an empty text. */
async function troubleOf(path: string, wanted: 'program' | 'directory'): Promise<string> {
  try {
    const found = await stat(path)
    if (wanted === 'directory') return found.isDirectory() ? '' : 'is not a directory'
    if (!found.isFile()) return 'is not a file'
    await access(path, constants.X_OK)
    return ''
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return missing
    if (code === 'EACCES') return wanted === 'program' ? 'may not be executed' : 'may not be entered'
    return `cannot be looked at: ${messageOf(thrown)}`
  }
}
