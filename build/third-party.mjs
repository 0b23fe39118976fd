// What the bundles hold of other people's work, with the licences of it.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * @typedef {object} ShippedPackage
 * @property {string} name
 * @property {string} version
 * @property {string} license An SPDX expression, as its package.json has it; empty where it has none.
 * @property {readonly string[]} texts Its licence files and notices.
 */

/** Licences that allow what we do: ship it, in a program under Apache-2.0. Others need a person to decide. */
const allowed = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'OFL-1.1',
  'Python-2.0',
  'Unlicense',
])

/**
 * The directory of the package that a module of a bundle comes from; null for one of our own.
 * @param {string} moduleId As the bundler names it: a path, perhaps with a mark before it and a query after.
 * @returns {string | null}
 */
export function packageDirectory(moduleId) {
  const path = moduleId
    .replace(/^\0+/, '')
    .replace(/[?#].*$/, '')
    .replaceAll('\\', '/')
  return /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? null
}

/**
 * @param {string} directory
 * @returns {ShippedPackage}
 */
export function readPackage(directory) {
  /** @type {{ name: string, version: string, license?: unknown }} */
  const { name, version, license } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
  const texts = readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isFile() && /^(licen[cs]e|copying|notice|ofl)\b/i.test(entry.name))
    .map((entry) => readFileSync(join(directory, entry.name), 'utf8').trim())
    .filter((text) => text !== '')
  return { name, version, license: typeof license === 'string' ? license : '', texts }
}

/**
 * `shipped` with the text that `directory` has for it (`NAME.txt`), where the package comes without one.
 * @param {ShippedPackage} shipped
 * @param {string} directory
 * @returns {ShippedPackage}
 */
export function withSuppliedText(shipped, directory) {
  const file = join(directory, `${shipped.name.replace('/', '__')}.txt`)
  if (shipped.texts.length > 0 || !existsSync(file)) return shipped
  return { ...shipped, texts: [readFileSync(file, 'utf8').trim()] }
}

/**
 * What must not be shipped as it is, as sentences.
 * @param {readonly ShippedPackage[]} packages
 * @returns {string[]}
 */
export function licenseProblems(packages) {
  return packages.flatMap(({ name, version, license, texts }) => [
    ...(isAllowed(license)
      ? []
      : [`${name} ${version} has the license "${license}", which is not one that may be shipped.`]),
    ...(texts.length > 0 ? [] : [`${name} ${version} has no license text.`]),
  ])
}

/**
 * `A OR B` needs one that is allowed, `A AND B` both. What is more involved is for a person to decide.
 * @param {string} expression
 */
function isAllowed(expression) {
  const plain = expression.trim().replace(/^\(([^()]*)\)$/, '$1')
  return plain
    .split(/ OR /)
    .some((choice) => choice.split(/ AND /).every((license) => allowed.has(license.trim())))
}

/**
 * The text of THIRD_PARTY_LICENSES.
 * @param {readonly ShippedPackage[]} packages
 */
export function licensesText(packages) {
  // A package may lie in several places of one installation.
  const each = [
    ...new Map(packages.map((shipped) => [`${shipped.name} ${shipped.version}`, shipped])).values(),
  ]
  const heading = `Pilothouse contains the following ${each.length} packages, each under its own license.\n`
  const parts = each
    .sort((a, b) => `${a.name} ${a.version}`.localeCompare(`${b.name} ${b.version}`, 'en'))
    .map(({ name, version, license, texts }) =>
      [`${'='.repeat(80)}\n${name} ${version} (${license})\n${'='.repeat(80)}`, ...texts].join('\n\n'),
    )
  return [heading, ...parts].join('\n').replace(/\r\n/g, '\n') + '\n'
}
