import { isAbsolute } from 'node:path'

/**
 * The directory that this process was started in. One that was removed since is given by the name that the shell knew it
 * by, and the process moves to the root: libraries and children ask for the working directory, and would fail.
 */
export function standSomewhere(): string {
  try {
    return process.cwd()
  } catch {
    process.chdir('/')
    const { PWD: before } = process.env
    return before !== undefined && isAbsolute(before) ? before : process.cwd()
  }
}
