import { constants } from 'node:fs'
import { open, readdir, type FileHandle } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fail, messageOf, ok, type Result } from '../../base/index.ts'
import type { ConfigProblem } from '../../contract/index.ts'
import { maxConfigBytes } from '../../engine/config/index.ts'
import type { Places } from './places.ts'

export const configNames = ['pilothouse.yaml', 'pilothouse.yml', 'pilothouse.json'] as const

export interface ConfigFile {
  /** Absolute. */
  path: string
  bytes: Uint8Array
}

/** How a file was named, to tell a person who named it. */
export interface NamedFile {
  path: string
  by: string
}

const problem = (file: string, message: string, hint = ''): ConfigProblem => ({
  file,
  line: 1,
  column: 1,
  path: '',
  message,
  hint,
})

const codeOf = (thrown: unknown) => (thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '')

const isMissing = (thrown: unknown) => ['ENOENT', 'ENOTDIR'].includes(codeOf(thrown))

/** What is wrong with a path, and what to do about it. */
interface Trouble {
  message: string
  remedy: string
}

const directory: Trouble = {
  message: 'this is a directory, expected a file',
  remedy: 'name a file, such as pilothouse.yaml in this directory',
}

const pipeOrDevice: Trouble = {
  message: 'this is a device or a pipe, expected a file',
  remedy: 'save the configuration to a file, and name that file',
}

function troubleOf(thrown: unknown): Trouble {
  switch (codeOf(thrown)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return {
        message: 'the file does not exist',
        remedy: 'correct the path; to create a configuration, run: pilothouse init',
      }
    case 'EACCES':
    case 'EPERM':
      return {
        message: 'this user may not read it',
        remedy: 'allow this user to read it, or run as a user who may',
      }
    case 'EISDIR':
      return directory
    case 'ELOOP':
      return { message: 'its symbolic links form a loop', remedy: 'correct the links, or name another file' }
    default:
      return {
        message: `it cannot be read: ${messageOf(thrown)}`,
        remedy: 'check the path and its permissions',
      }
  }
}

/** Reads no more than one byte beyond what a config may have: enough to see that it is too large. */
async function readBounded(handle: FileHandle): Promise<Uint8Array> {
  const buffer = new Uint8Array(maxConfigBytes + 1)
  let length = 0
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return buffer.subarray(0, length)
}

/** The bytes of a file that must be there. Devices and pipes are refused, as reading them may never end. */
export async function readConfigFile(
  path: string,
  namedBy = '',
): Promise<Result<ConfigFile, ConfigProblem[]>> {
  const refuse = ({ message, remedy }: Trouble) =>
    fail([problem(path, message, namedBy ? `${remedy} (this path was set by ${namedBy})` : remedy)])
  let handle: FileHandle | undefined
  try {
    // O_NONBLOCK, so that a pipe without a writer does not hold the start.
    const { O_RDONLY, O_NONBLOCK = 0 } = constants as Partial<typeof constants> & { O_RDONLY: number }
    handle = await open(path, O_RDONLY | O_NONBLOCK)
    const stat = await handle.stat()
    if (stat.isDirectory()) return refuse(directory)
    if (!stat.isFile()) return refuse(pipeOrDevice)
    return ok({ path, bytes: await readBounded(handle) })
  } catch (thrown) {
    return refuse(troubleOf(thrown))
  } finally {
    await handle?.close()
  }
}

/** The directories a config is looked for in, in that order. */
export const searched = (places: Places): string[] => [
  ...new Set([places.workingDirectory, places.configDirectory]),
]

/** The configs in a directory, none when it does not exist. One that cannot be listed may hold one: that is a problem. */
async function namesIn(directory: string): Promise<Result<string[], ConfigProblem[]>> {
  try {
    const names = new Set(await readdir(directory))
    return ok(configNames.filter((name) => names.has(name)))
  } catch (thrown) {
    if (isMissing(thrown)) return ok([])
    const message = `a configuration is looked for in this directory, but ${troubleOf(thrown).message}`
    return fail([problem(directory, message, 'name the file with --config or PILOTHOUSE_CONFIG')])
  }
}

/**
 * The config file: the named one, else the first of pilothouse.yaml, .yml, .json in the working directory, then in
 * the user's config directory. Null when there is none; a problem when the named one is missing, one directory has two,
 * or one cannot be listed.
 */
export async function findConfigFile(
  places: Places,
  named: NamedFile | undefined,
): Promise<Result<ConfigFile | null, ConfigProblem[]>> {
  if (named) return readConfigFile(resolve(places.workingDirectory, named.path), named.by)
  for (const directory of searched(places)) {
    const names = await namesIn(directory)
    if (!names.ok) return names
    const [first, second] = names.value
    if (!first) continue
    if (second) {
      const message = `${second} is in the same directory, expected only one config there`
      return fail([problem(join(directory, first), message, 'keep one of them')])
    }
    return readConfigFile(join(directory, first))
  }
  return ok(null)
}
