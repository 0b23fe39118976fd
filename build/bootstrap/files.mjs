import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/**
 * @param {string} file
 * @returns {string | null} Its text; null when there is no such file.
 */
export function readTextIfThere(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return null
    throw error
  }
}

/**
 * Every file below `path`, or `path` itself when it is a file; in a fixed order.
 * @param {string} path
 * @returns {string[]} Empty when there is nothing there.
 */
export function filesBelow(path) {
  const kind = statSync(path, { throwIfNoEntry: false })
  if (!kind) return []
  if (!kind.isDirectory()) return [path]
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesBelow(join(path, name)))
}
