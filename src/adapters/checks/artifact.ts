import { access, constants, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join, resolve } from 'node:path'
import { messageOf } from '../../base/index.ts'
import type { Artifact } from '../../contract/index.ts'
import { failed, passed, type CheckVerdict } from '../../engine/validation/index.ts'
import { scriptOf } from './script.ts'
import { directoryOf, type Run } from './surroundings.ts'

/** What the release runs is there. */
export const artifactCheck: Run = (request) => {
  const { artifact, id } = request.release
  switch (artifact.kind) {
    case 'command':
      return commandVerdict(id, artifact, directoryOf(request))
  }
}

/** The program is there and may be executed, so is the script it runs, and its working directory is one. */
async function commandVerdict(
  releaseId: string,
  { argv, env }: Extract<Artifact, { kind: 'command' }>,
  cwd: string,
): Promise<CheckVerdict> {
  const [program = ''] = argv
  const path = env['PATH'] ?? process.env['PATH'] ?? ''
  const absence = await troubleOf(cwd, 'directory')
  if (absence !== '') return failed(`The working directory ${cwd} of ${releaseId} ${absence}.`)
  let trouble = 'is not on the PATH'
  for (const file of placesOf(program, cwd, path)) {
    const found = await troubleOf(file, 'program')
    if (found === '') {
      const script = await missingScript(argv, cwd, path)
      if (script !== null) return failed(`The script ${script} of ${releaseId} does not exist in ${cwd}.`)
      return passed(`The program of ${releaseId} is ${file}.`)
    }
    if (found !== missing || isPath(program)) trouble = found
  }
  return failed(`The program ${program} of ${releaseId} ${trouble}.`)
}

/** The script that a command names and that is not there; null where it is, or the command names none for certain. */
async function missingScript(argv: readonly string[], cwd: string, path: string): Promise<string | null> {
  const script = scriptOf(argv)
  if (!script) return null
  for (const name of script.candidates) {
    const file = resolve(cwd, name)
    for (const ending of script.endings) if (await exists(file + ending)) return null
    if (!script.isOnPath || isPath(name)) continue
    for (const place of path.split(delimiter).filter(Boolean))
      if (await exists(join(place, name))) return null
  }
  return script.isCertain ? (script.candidates.at(-1) ?? null) : null
}

/** Whether something is there; what may not be looked at is taken to be. */
async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    return code !== 'ENOENT' && code !== 'ENOTDIR'
  }
}

const missing = 'does not exist'

const isPath = (program: string): boolean => /[/\\]/.test(program)

/** Where the system looks for a program: a path is taken from the working directory, a name on the PATH. */
function placesOf(program: string, cwd: string, path: string): string[] {
  const endings = process.platform === 'win32' ? ['', '.exe', '.com', '.cmd', '.bat'] : ['']
  const bases = isPath(program)
    ? [isAbsolute(program) ? program : resolve(cwd, program)]
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
    if (code === 'EACCES') return wanted === 'program' ? 'is not executable' : 'cannot be entered'
    return `cannot be inspected: ${messageOf(thrown)}`
  }
}
