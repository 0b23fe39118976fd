import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { filesBelow } from './files.mjs'

/** What the bundles are made of, relative to the project. */
export const bundleSources = [
  'src',
  'electron',
  'vite.config.ts',
  'build/third-party.mjs',
  'build/licenses',
  'svelte.config.mjs',
  'tsconfig.json',
  'package.json',
  'package-lock.json',
]

/**
 * A fingerprint of files: it changes with a name or a byte of content, and with nothing else (a checkout renews
 * every modification time).
 * @param {string} root
 * @param {readonly string[]} paths Files and directories below `root`; those that are not there are left out.
 * @returns {string} 64 hexadecimal digits.
 */
export function fingerprint(root, paths) {
  const hash = createHash('sha256')
  for (const file of paths.flatMap((path) => filesBelow(join(root, path)))) {
    const content = readFileSync(file)
    hash.update(`${relative(root, file).split(sep).join('/')}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex')
}
