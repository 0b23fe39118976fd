import type { ChildProcess } from 'node:child_process'

/** One end of a two-way pipe of cloneable messages, in order. */
export interface Wire {
  send(message: unknown): void
  onMessage(receive: (message: unknown) => void): void
}

type WireMessage =
  | { kind: 'tell'; method: string; args: unknown[] }
  | { kind: 'call'; id: number; method: string; args: unknown[] }
  | { kind: 'answer'; id: number; value?: unknown; error?: { message: string; code?: string } }

// Methods are as different as their arguments; each is named at one place on either side.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Method = (...args: any[]) => unknown

/** Calls and announcements over a wire. */
export class Peer {
  #wire: Wire
  #methods = new Map<string, Method>()
  #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  #nextId = 0

  constructor(wire: Wire) {
    this.#wire = wire
    wire.onMessage((message) => void this.#receive(message as WireMessage))
  }

  on(method: string, run: Method): void {
    this.#methods.set(method, run)
  }

  tell(method: string, ...args: unknown[]): void {
    this.#wire.send({ kind: 'tell', method, args } satisfies WireMessage)
  }

  call<Value>(method: string, ...args: unknown[]): Promise<Value> {
    const id = this.#nextId++
    return new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#wire.send({ kind: 'call', id, method, args } satisfies WireMessage)
    }) as Promise<Value>
  }

  async #receive(message: WireMessage): Promise<void> {
    if (message.kind === 'answer') {
      const waiting = this.#waiting.get(message.id)
      this.#waiting.delete(message.id)
      if (message.error) waiting?.reject(Object.assign(new Error(message.error.message), message.error))
      else waiting?.resolve(message.value)
      return
    }
    const run = this.#methods.get(message.method)
    if (!run) throw new Error(`the other side asks for ${message.method}, which there is not`)
    if (message.kind === 'tell') {
      run(...message.args)
      return
    }
    const { id } = message
    try {
      const value = await run(...message.args)
      this.#wire.send({ kind: 'answer', id, value } satisfies WireMessage)
    } catch (failure) {
      const { message: text, code } = failure as Error & { code?: string }
      const error = { message: text, ...(code === undefined ? {} : { code }) }
      this.#wire.send({ kind: 'answer', id, error } satisfies WireMessage)
    }
  }
}

/** The pipe to a child that was forked with advanced serialization. What is sent after its end is lost. */
export const wireToChild = (child: ChildProcess): Wire => ({
  send: (message) => {
    if (child.connected) child.send(message as object, () => undefined)
  },
  onMessage: (receive) => void child.on('message', receive),
})

/** The pipe to the parent that forked this process; undefined when none did. */
export function wireToParent(): Wire | undefined {
  const send = process.send?.bind(process)
  if (!send) return undefined
  return {
    send: (message) => {
      if (process.connected) send(message, undefined, undefined, () => undefined)
    },
    onMessage: (receive) => void process.on('message', receive),
  }
}
