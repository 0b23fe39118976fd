import { findPeer, peers, type PeerName } from '../../build/bootstrap/peers.mjs'
import { missingPeerPrefix } from '../../build/bootstrap/run-stage.mjs'

/** A real program to test against. */
export interface PeerProgram {
  readonly isMissing: boolean
  /** The program's path. Throws when it is missing: guard the tests with `describe.skipIf(peer.isMissing)`. */
  readonly path: string
}

/**
 * Looks for a real program to test against.
 * Missing, it says so and the tests are to be skipped; in CI (`CI=true`), where it must be there, it throws, and the
 * test file fails.
 */
export function peer(name: PeerName, env: NodeJS.ProcessEnv = process.env): PeerProgram {
  const path = findPeer(name, { path: env['PATH'] ?? '' })
  if (path) return { isMissing: false, path }
  const { purpose, package: debianPackage, platforms } = peers[name]
  const why = `${name} (${purpose}) is not installed; Debian's package: ${debianPackage}`
  if (env['CI'] === 'true' && platforms.includes(process.platform)) throw new Error(why)
  console.warn(missingPeerPrefix + why)
  return {
    isMissing: true,
    get path(): never {
      throw new Error(why)
    },
  }
}
