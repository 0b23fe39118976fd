import { Peer, wireToParent } from './wire.ts'

const wire = wireToParent()

/** The process that shows the windows; undefined where the double is only imported, as in a unit test. */
export const parentPeer: Peer | undefined =
  wire && process.env['ELECTRON_DOUBLE'] === '1' ? new Peer(wire) : undefined

export function windowServer(): Peer {
  if (!parentPeer) throw new Error('windows need the process of the double: test/support/electron/boot.ts')
  return parentPeer
}
