import { createHash } from 'node:crypto'
import { tmpdir, userInfo } from 'node:os'
import { join, resolve } from 'node:path'

/** Where the edge of a data directory keeps its state, logs and lock. */
export const edgeDirectory = (dataDirectory: string): string => join(dataDirectory, 'edge')

/** Names the one edge of a directory while it runs. */
export const edgeLockPath = (directory: string): string => join(directory, 'edge.lock')

/** Longest path of a UNIX socket that every system takes, less what an edge adds to it before it serves, bytes. */
const maxSocketPath = 95

/**
 * The admin socket of an edge. It is in the edge's directory unless that path is too long for a socket; then in a
 * directory of this user's own among the temporary files, and on Windows a named pipe.
 */
export function edgeSocketPath(directory: string, platform: NodeJS.Platform = process.platform): string {
  const path = resolve(directory)
  const short = createHash('sha256').update(path).digest('hex').slice(0, 16)
  if (platform === 'win32') return `\\\\.\\pipe\\pilothouse-edge-${short}`
  const inside = join(path, 'edge.sock')
  return Buffer.byteLength(inside) <= maxSocketPath
    ? inside
    : join(tmpdir(), `pilothouse-${userInfo().uid}`, `${short}.sock`)
}
