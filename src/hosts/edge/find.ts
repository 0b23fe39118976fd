import { chmodSync, lstatSync, statSync, type Stats } from 'node:fs'
import { dirname } from 'node:path'
import { AppError } from '../../base/index.ts'
import { EdgeClient } from '../../adapters/platforms/edge/index.ts'
import { identityOf } from '../../edge/index.ts'
import { edgeSocketPlaces } from './places.ts'
import { readPointer } from './pointer.ts'

/** A client of the edge of a directory, wherever its socket is; it is looked for again for each new connection. */
export const edgeClient = (directory: string, timeoutMs?: number): EdgeClient =>
  new EdgeClient({
    socketPath: () => edgeSockets(directory),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  })

/**
 * Where the admin socket of an edge may be found, best first: where the edge itself says, then every place that an
 * edge may use. Throws FORBIDDEN, with the remedy, when only sockets exist that another user may have planted.
 */
function edgeSockets(directory: string): readonly string[] {
  const places = edgeSocketPlaces(directory)
  if (process.platform === 'win32') return places
  const pointed = readPointer(directory)?.socketPath
  const candidates = [...new Set(pointed === undefined ? places : [pointed, ...places])]
  const trusted = trustedUids(directory)
  const found: string[] = []
  let refusal = ''
  for (const path of candidates) {
    const socket = lstatSync(path, { throwIfNoEntry: false })
    if (!socket) continue
    const why = distrust(path, socket, trusted)
    if (why === null) found.push(path)
    else refusal ||= why
  }
  if (found.length === 0 && refusal !== '') throw new AppError('FORBIDDEN', refusal)
  return found.length > 0 ? found : [places[0]]
}

/** This user and root; for root, which may enter every directory, also the owner of the edge's directory. */
function trustedUids(directory: string): ReadonlySet<number> {
  const own = process.getuid?.() ?? 0
  const owner = own === 0 ? statSync(directory, { throwIfNoEntry: false })?.uid : undefined
  return new Set([own, 0, ...(owner === undefined ? [] : [owner])])
}

/** Why a socket is not to be trusted, with the remedy; null when it is. Repairs a wide mode of our own directory. */
function distrust(path: string, socket: Stats, trusted: ReadonlySet<number>): string | null {
  const directory = dirname(path)
  // A link is judged, and what it leads to.
  const owners = [lstatSync(directory).uid, statSync(directory).uid]
  const stranger = owners.find((uid) => !trusted.has(uid))
  if (stranger !== undefined)
    return `${directory} belongs to another user (uid ${stranger}), so the edge's socket there is not trusted. Remove that directory (as root or its owner), or set TMPDIR to a directory of your own and restart the edge.`
  if (!trusted.has(socket.uid))
    return `${path} belongs to another user (uid ${socket.uid}) and is not trusted. Remove it; a running edge recreates its socket within a second.`
  if (!socket.isSocket())
    return `${path} is not a socket. Remove it; a running edge recreates its socket within a second.`
  if ((statSync(directory).mode & 0o077) === 0) return null
  try {
    chmodSync(directory, 0o700)
    return null
  } catch {
    return `Other users can enter ${directory}, so the edge's socket there is not trusted. Run: chmod 700 ${directory}`
  }
}

/** Whether the edge that was the last to serve a directory still runs, whether or not it answers. */
export async function isEdgeRunning(directory: string): Promise<boolean> {
  const pointer = readPointer(directory)
  return pointer !== null && (await identityOf(pointer.pid)) === pointer.identity
}

/** What a person can do when no edge answers: names the process that runs without answering, if there is one. */
export async function edgeRemedy(directory: string): Promise<string> {
  const pointer = readPointer(directory)
  return pointer && (await isEdgeRunning(directory))
    ? `The edge is running (process ${pointer.pid}) but does not answer. It recreates a lost socket within a second; if it stays silent, run "kill ${pointer.pid}" (its instances keep running), then: pilothouse edge start`
    : 'No edge is running here. To start one, run: pilothouse edge start'
}
