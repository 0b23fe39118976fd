import { existsSync, readdirSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * The real programs that tests run against. `commands` are looked for on the PATH in this order; on a system not
 * named in `platforms` the peer does not exist and its absence is nobody's fault.
 * @typedef {{ commands: readonly string[], package: string, platforms: readonly string[], purpose: string }} Peer
 */

/** @satisfies {Record<string, Peer>} */
export const peers = {
  chromium: {
    commands: ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'],
    package: 'chromium',
    platforms: ['linux', 'darwin', 'win32'],
    purpose: 'the browser of the end-to-end tests',
  },
  promtool: {
    commands: ['promtool'],
    package: 'prometheus',
    platforms: ['linux', 'darwin'],
    purpose: 'checks what /metrics says',
  },
  'node-exporter': {
    commands: ['prometheus-node-exporter', 'node_exporter'],
    package: 'prometheus-node-exporter',
    platforms: ['linux', 'darwin'],
    purpose: 'a second opinion on the figures of this machine',
  },
  postgresql: {
    commands: ['postgres'],
    package: 'postgresql',
    platforms: ['linux'],
    purpose: 'a database for checks to ask',
  },
  redis: {
    commands: ['redis-server'],
    package: 'redis-server',
    platforms: ['linux'],
    purpose: 'a store for checks to ask',
  },
}

/** @typedef {keyof typeof peers} PeerName */

const postgresqlVersions = '/usr/lib/postgresql'

/** Where Debian keeps servers; an ordinary user's PATH may lack it. PostgreSQL has a directory for each version. */
const extraPlaces =
  process.platform === 'win32'
    ? []
    : [
        '/usr/sbin',
        '/usr/local/sbin',
        '/sbin',
        ...(existsSync(postgresqlVersions)
          ? readdirSync(postgresqlVersions).map((version) => join(postgresqlVersions, version, 'bin'))
          : []),
      ]

/**
 * @param {PeerName} name
 * @param {{ path?: string }} [options] `path` as the PATH variable.
 * @returns {string | null} The program's path; null when it is not on this machine.
 */
export function findPeer(name, { path = process.env.PATH ?? '' } = {}) {
  const places = [...path.split(delimiter).filter(Boolean), ...extraPlaces]
  const ending = process.platform === 'win32' ? '.exe' : ''
  for (const command of peers[name].commands) {
    for (const place of places) {
      const file = join(place, command + ending)
      if (existsSync(file) && statSync(file).isFile()) return file
    }
  }
  return null
}

/**
 * @typedef {object} Machine
 * @property {string} platform As in `process.platform`.
 * @property {boolean} isRoot
 * @property {string | null} distribution `ID` of /etc/os-release; null where there is none.
 */

/**
 * How the missing peers are got here.
 * @param {readonly PeerName[]} missing
 * @param {Machine} machine
 * @returns {{ apt: string[], isBrowserFetched: boolean, byHand: PeerName[] }} `apt`: Debian packages;
 *   `isBrowserFetched`: by Playwright; `byHand`: left to the person.
 */
export function planPeers(missing, { platform, isRoot, distribution }) {
  const isAptOurs = platform === 'linux' && isRoot && (distribution === 'debian' || distribution === 'ubuntu')
  const existing = missing.filter((name) => peers[name].platforms.includes(platform))
  // Ubuntu's chromium package is a snap, which containers cannot run.
  const isBrowserFetched = existing.includes('chromium') && !(isAptOurs && distribution === 'debian')
  const others = isBrowserFetched ? existing.filter((name) => name !== 'chromium') : existing
  return {
    apt: isAptOurs ? [...new Set(others.map((name) => peers[name].package))] : [],
    isBrowserFetched,
    byHand: isAptOurs ? [] : others,
  }
}
