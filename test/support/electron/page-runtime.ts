/** What the window server tells a page. */
export type PageMessage =
  | { kind: 'send'; channel: string; args: unknown[]; portIds: string[] }
  | { kind: 'port.data'; id: string; data: string | Uint8Array }
  | { kind: 'port.close'; id: string }
  | { kind: 'answer'; call: number; value: unknown; error: string | null }

/** What a page tells the window server. */
export type FromPage =
  | { kind: 'invoke'; call: number; channel: string; args: unknown[] }
  | { kind: 'port.data'; id: string; data: string | Uint8Array }
  | { kind: 'port.close'; id: string }

/**
 * The text that runs before a page's own scripts: Electron's renderer side for the preload, then the preload, in a
 * scope of its own (Electron gives it a world of its own, which a page's script cannot reach into).
 */
export const pageScript = (
  preload: string,
  origin: string,
  names: { tell: string; receive: string },
): string => `
if (window === window.top && location.origin === ${JSON.stringify(origin)}) {
  const { require, exports, module } = (${pageRuntime.toString()})(${JSON.stringify(names)});
  (function (require, exports, module) {
${preload}
  })(require, exports, module);
}`

/** Serialized into the page: may use nothing from outside itself. */
function pageRuntime(names: { tell: string; receive: string }) {
  type Listener = (event: object, ...args: unknown[]) => void
  const scope = window as unknown as Record<string, unknown>
  const tell = scope[names.tell] as (message: FromPage) => void
  const listeners = new Map<string, Set<Listener>>()
  const ports = new Map<string, MessagePort>()
  const calls = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  let nextCall = 0

  const takePort = (id: string): MessagePort => {
    const { port1, port2 } = new MessageChannel()
    ports.set(id, port1)
    port1.onmessage = ({ data }: MessageEvent<string | Uint8Array>) => tell({ kind: 'port.data', id, data })
    port1.addEventListener('close', () => {
      if (ports.delete(id)) tell({ kind: 'port.close', id })
    })
    return port2
  }

  Object.defineProperty(scope, names.receive, {
    value: (message: PageMessage) => {
      if (message.kind === 'send') {
        const event = { sender: ipcRenderer, ports: message.portIds.map(takePort) }
        for (const listener of [...(listeners.get(message.channel) ?? [])]) listener(event, ...message.args)
      } else if (message.kind === 'port.data') {
        ports.get(message.id)?.postMessage(message.data)
      } else if (message.kind === 'port.close') {
        ports.get(message.id)?.close()
        ports.delete(message.id)
      } else {
        const call = calls.get(message.call)
        calls.delete(message.call)
        if (message.error === null) call?.resolve(message.value)
        else call?.reject(new Error(message.error))
      }
    },
  })

  const ipcRenderer = {
    on(channel: string, listener: Listener) {
      const known = listeners.get(channel) ?? new Set()
      listeners.set(channel, known.add(listener))
      return ipcRenderer
    },
    removeListener(channel: string, listener: Listener) {
      listeners.get(channel)?.delete(listener)
      return ipcRenderer
    },
    invoke(channel: string, ...args: unknown[]) {
      const call = nextCall++
      return new Promise((resolve, reject) => {
        calls.set(call, { resolve, reject })
        tell({ kind: 'invoke', call, channel, args })
      })
    },
  }
  const contextBridge = {
    // Electron's bridge copies and freezes; functions stay callable.
    exposeInMainWorld(name: string, api: object) {
      Object.defineProperty(scope, name, { value: Object.freeze({ ...api }), enumerable: true })
    },
  }
  const electron = { ipcRenderer, contextBridge }
  const require = (name: string) => {
    if (name === 'electron') return electron
    // The same words as a sandboxed preload gets.
    throw new Error(`module not found: ${name}`)
  }
  const module = { exports: {} }
  return { require, exports: module.exports, module }
}
