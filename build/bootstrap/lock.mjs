import { createHash } from 'node:crypto'

/**
 * @typedef {object} InstallFacts
 * @property {string} lockText Text of package-lock.json.
 * @property {string | null} installedLockText Text of node_modules/.package-lock.json, which npm writes last.
 * @property {string | null} stampText Text of our stamp from the last install.
 * @property {boolean} isLink node_modules is a link to a directory that somebody else looks after.
 * @property {string} platform As in `process.platform`; a directory shared between systems holds one's binaries.
 * @property {string} arch
 * @property {string | null} libc `glibc` or `musl` on Linux, null elsewhere.
 */

/**
 * The stamp of an install: which lockfile, for which kind of machine.
 * @param {Pick<InstallFacts, 'lockText' | 'platform' | 'arch'>} facts
 * @returns {string} One line of text.
 */
export function lockStamp({ lockText, platform, arch }) {
  const hash = createHash('sha256').update(lockText.replace(/\r\n/g, '\n')).digest('hex')
  return `${hash} ${platform}-${arch}\n`
}

/**
 * What has to be done before anything in node_modules may be used.
 * - `current`: nothing.
 * - `adopt`: npm itself installed exactly this lockfile; only our stamp is missing or old.
 * - `link`: node_modules belongs to somebody else; nothing is installed into it.
 * - `install`: `npm ci`.
 * @param {InstallFacts} facts
 * @returns {'current' | 'adopt' | 'link' | 'install'}
 */
export function installDecision(facts) {
  if (facts.isLink) return 'link'
  if (facts.installedLockText === null) return 'install'
  if (facts.stampText === lockStamp(facts)) return 'current'
  // A stamp for another machine means the binaries are that machine's, whatever the versions are.
  const stampedFor = facts.stampText?.trim().split(' ')[1]
  if (stampedFor !== undefined && stampedFor !== `${facts.platform}-${facts.arch}`) return 'install'
  return isComplete(facts) ? 'adopt' : 'install'
}

/**
 * Whether exactly what the lockfile names for this machine was installed. npm leaves an optional package out without
 * a word when it asks for a newer Node than the one running npm, also when that package is the only build of a
 * tool for this machine.
 * @param {Omit<InstallFacts, 'stampText' | 'isLink'>} facts
 */
export function isComplete({ lockText, installedLockText, ...machine }) {
  const wanted = packagesOf(lockText)
  const installed = packagesOf(installedLockText ?? '')
  if (!wanted || !installed) return false
  const isEachThere = Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true
    const there = installed[path]
    if (there) return there.version === entry.version && there.integrity === entry.integrity
    return entry.optional === true && !isFor(entry, machine)
  })
  return isEachThere && Object.keys(installed).every((path) => path in wanted)
}

/**
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, os?: string[], cpu?: string[], libc?: string[] }} LockEntry
 * @param {LockEntry} entry
 * @param {Pick<InstallFacts, 'platform' | 'arch' | 'libc'>} machine
 */
function isFor({ os, cpu, libc }, machine) {
  // npm leaves out an optional package without a system of its own with the one that needs it.
  if (!os && !cpu) return false
  const isFitting = (/** @type {string[] | undefined} */ list, /** @type {string | null} */ own) =>
    list === undefined || (own !== null && list.includes(own))
  return isFitting(os, machine.platform) && isFitting(cpu, machine.arch) && isFitting(libc, machine.libc)
}

/**
 * @param {string} text
 * @returns {Record<string, LockEntry> | null}
 */
function packagesOf(text) {
  try {
    const parsed = JSON.parse(text)
    return typeof parsed?.packages === 'object' ? parsed.packages : null
  } catch {
    return null
  }
}

const explanations = /** @type {const} */ ([
  [
    /\bENOSPC\b|no space left/i,
    'The disk is full: free some space (about 1.5 GB are needed) and start again.',
  ],
  [
    /\b(EACCES|EPERM|EROFS)\b/,
    'No permission to write here: the project directory must belong to you (an earlier run as root may own node_modules).',
  ],
  [
    /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|ENETUNREACH|EHOSTUNREACH)\b|network/i,
    'The npm registry cannot be reached: check the connection, or the proxy and registry in your npm settings.',
  ],
  [
    /\b(SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT_LOCALLY|CERT_HAS_EXPIRED|UNABLE_TO_VERIFY_LEAF_SIGNATURE|DEPTH_ZERO_SELF_SIGNED_CERT)\b/,
    "The registry's certificate is not trusted: set npm's `cafile` to your company's certificate.",
  ],
  [/\b(E401|E403|ENEEDAUTH)\b/, 'The npm registry refuses access: check the login in your npm settings.'],
  [
    /\bEINTEGRITY\b/,
    'A downloaded package is not the one the lockfile names: run `npm cache verify` and try again.',
  ],
  [
    /\b(E404|ETARGET)\b/,
    'The npm registry lacks a package of the lockfile: check which registry npm is set to use.',
  ],
  [
    /can only install packages when|in sync/i,
    'package.json and package-lock.json disagree: run `npm install` once.',
  ],
])

/**
 * What a person can do about a failed `npm ci`.
 * @param {readonly string[]} lines npm's output.
 * @returns {string | null} One sentence; null when the reason is not a known one.
 */
export function explainInstallFailure(lines) {
  const errors = lines.filter((line) => /\bERR!|npm error/i.test(line)).join('\n')
  return explanations.find(([pattern]) => pattern.test(errors))?.[1] ?? null
}
