// Imported first in each utility process of the double: gives it what Electron gives a real one.
import { EventEmitter } from 'node:events'
import { PortRelay } from './ports.ts'
import { Peer, wireToParent } from './wire.ts'

/** Messages wait for the first listener, as they do in Electron. */
class ParentPort extends EventEmitter {
  #early: { data: unknown; ports: unknown[] }[] = []
  #peer: Peer

  constructor(peer: Peer) {
    super()
    this.#peer = peer
    const relay = new PortRelay(peer)
    peer.on('message', (data: unknown, portIds: readonly string[]) => {
      const event = { data, ports: portIds.map((id) => relay.take(id)) }
      if (this.listenerCount('message') > 0) this.emit('message', event)
      else this.#early.push(event)
    })
    this.on('newListener', (name) => {
      if (name !== 'message') return
      const events = this.#early.splice(0)
      queueMicrotask(() => events.forEach((event) => this.emit('message', event)))
    })
  }

  postMessage(message: unknown): void {
    this.#peer.tell('message', message)
  }
}

const wire = wireToParent()
// Worker threads of the process import this as well; they have no parent of this kind.
if (wire) {
  Object.assign(process, { parentPort: new ParentPort(new Peer(wire)), type: 'utility' })
  // A utility process does not outlive its app.
  process.once('disconnect', () => process.exit(1))
}
