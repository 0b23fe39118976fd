import { createHash } from 'node:crypto'
import { tmpdir, userInfo } from 'node:os'
import { join, resolve } from 'node:path'

/** Where the edge of a data directory keeps its state, logs and lock. */
export const edgeDirectory = (dataDirectory: string): string => join(dataDirectory, 'edge')

/** Where the edge of a directory runs what has no directory of its own. */
export const workDirectory = (directory: string): string => join(directory, 'work')

/** Names the one edge of a directory while it runs. */
export const edgeLockPath = (directory: string): string => join(directory, 'edge.lock')

/** Longest path of a UNIX socket that every system takes, less what an edge adds to it before it serves, bytes. */
const maxSocketPath = 95

/**
 * Places for the admin socket of an edge, best first; at least one. The first is in the edge's own directory, unless
 * that path is too long for a socket. The others are in a directory that only this user can enter, below the
 * directories for temporary and runtime files: an edge uses them when it cannot make a socket at an earlier place.
 * On Windows, one named pipe.
 */
export function edgeSocketPlaces(
  directory: string,
  platform: NodeJS.Platform = process.platform,
  runtimeDirectory: string | undefined = process.env['XDG_RUNTIME_DIR'],
): readonly [string, ...string[]] {
  const path = resolve(directory)
  const short = createHash('sha256').update(path).digest('hex').slice(0, 16)
  if (platform === 'win32') return [`\\\\.\\pipe\\pilothouse-edge-${short}`]
  const own = `pilothouse-${userInfo().uid}`
  const bases = [tmpdir(), runtimeDirectory, '/tmp', platform === 'linux' ? '/dev/shm' : undefined]
  const places = [
    join(path, 'edge.sock'),
    ...bases.filter((base) => base !== undefined).map((base) => join(base, own, `${short}.sock`)),
  ]
  const fitting = [...new Set(places)].filter((place) => Buffer.byteLength(place) <= maxSocketPath)
  return fitting as [string, ...string[]]
}

/** Where the admin socket of an edge is unless it cannot be made there. */
export const edgeSocketPath = (directory: string, platform: NodeJS.Platform = process.platform): string =>
  edgeSocketPlaces(directory, platform)[0]
