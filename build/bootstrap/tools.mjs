import { readFileSync } from 'node:fs'
import { inProject } from './project.mjs'

/**
 * The script behind a tool's command, as its own package names it: the files move between versions.
 * @param {string} packageName
 * @param {string} [command] Its name in `.bin`; without it the package's own name.
 * @returns {string} An absolute path. Throws when the package is not installed or has no such command.
 */
export function toolScript(packageName, command = packageName) {
  const home = inProject('node_modules', packageName)
  /** @type {{ bin?: string | Record<string, string> }} */
  const { bin = {} } = JSON.parse(readFileSync(`${home}/package.json`, 'utf8'))
  const script = typeof bin === 'string' ? bin : bin[command]
  if (script === undefined) throw new Error(`${packageName} has no command ${command}`)
  return inProject('node_modules', packageName, script)
}
