import { EventEmitter } from 'node:events'
import { readFileSync } from 'node:fs'
import { app, preventable, quitSteps } from './app.ts'
import { observed } from './native.ts'
import { windowServer, parentPeer } from './parent.ts'
import { PortRelay, type MessagePortMain } from './ports.ts'
import { protocol, session } from './session.ts'

interface Bounds {
  x: number
  y: number
  width: number
  height: number
}

type Preferences = Record<string, unknown> & { preload?: string }
type InvokeHandler = (event: object, ...args: unknown[]) => unknown
type WindowOpenHandler = (details: { url: string }) => { action: 'allow' | 'deny' }

const relay = parentPeer && new PortRelay(parentPeer)
const windows = new Map<number, BrowserWindow>()
let nextId = 1

class WebFrameMain extends EventEmitter {
  readonly parent: WebFrameMain | null
  readonly top: WebFrameMain
  readonly url: string
  #windowId: number

  constructor(windowId: number, url: string, parent: WebFrameMain | null = null) {
    super()
    this.#windowId = windowId
    this.url = url
    this.parent = parent
    this.top = parent ?? this
  }

  get origin(): string {
    return this.url.split('/', 3).join('/')
  }

  postMessage(channel: string, message: unknown, transfer: readonly MessagePortMain[] = []): void {
    const portIds = transfer.map((port) => relay?.give(port))
    windowServer().tell('window.send', this.#windowId, channel, [message], portIds)
  }
}

class WebContents extends EventEmitter {
  readonly id: number
  mainFrame: WebFrameMain
  readonly session = session.defaultSession
  readonly #preferences: Preferences
  #openHandler: WindowOpenHandler | undefined

  constructor(id: number, preferences: Preferences) {
    super()
    this.id = id
    this.#preferences = preferences
    this.mainFrame = new WebFrameMain(id, '')
  }

  getURL(): string {
    return this.mainFrame.url
  }

  getLastWebPreferences(): Preferences {
    return this.#preferences
  }

  send(channel: string, ...args: unknown[]): void {
    windowServer().tell('window.send', this.id, channel, args, [])
  }

  setWindowOpenHandler(handler: WindowOpenHandler): void {
    this.#openHandler = handler
  }

  /** Whether a page may open a window; Electron lets it when nobody says otherwise. */
  mayOpen(url: string): boolean {
    const isAllowed = (this.#openHandler?.({ url }) ?? { action: 'allow' }).action === 'allow'
    observed.windowsAskedFor.push({ url, isAllowed })
    return isAllowed
  }

  /** Whether a page may go to `url`, as the app's listeners decide. */
  mayNavigate(url: string, isMainFrame: boolean): boolean {
    const frame = isMainFrame ? this.mainFrame : new WebFrameMain(this.id, url, this.mainFrame)
    const details = preventable({ url, isMainFrame, isSameDocument: false, frame })
    this.emit('will-frame-navigate', details)
    if (isMainFrame && !details.defaultPrevented) this.emit('will-navigate', details, url)
    return !details.defaultPrevented
  }

  committed(url: string): void {
    this.mainFrame = new WebFrameMain(this.id, url)
  }
}

export class BrowserWindow extends EventEmitter {
  readonly id = nextId++
  readonly webContents: WebContents
  #bounds: Bounds
  #isShown: boolean
  #isMaximized = false
  #isMinimized = false
  #isDestroyed = false
  #wasReady = false
  overlay: { icon: unknown; description: string } | null = null

  constructor(options: Partial<Bounds> & { show?: boolean; webPreferences?: Preferences } = {}) {
    super()
    if (!app.isReady()) throw new Error('Cannot create BrowserWindow before app is ready')
    const { x = 0, y = 0, width = 800, height = 600, show = true, webPreferences = {} } = options
    this.#bounds = { x, y, width, height }
    this.#isShown = show
    this.webContents = new WebContents(this.id, webPreferences)
    windows.set(this.id, this)
    const preload = webPreferences.preload ? readFileSync(webPreferences.preload, 'utf8') : ''
    windowServer().tell('window.create', this.id, preload)
    app.emit('web-contents-created', {}, this.webContents)
    app.emit('browser-window-created', {}, this)
  }

  static getAllWindows(): BrowserWindow[] {
    return [...windows.values()]
  }

  static getFocusedWindow(): BrowserWindow | null {
    return null
  }

  async loadURL(url: string): Promise<void> {
    await windowServer().call('window.load', this.id, url)
    this.webContents.emit('did-finish-load')
    if (this.#wasReady) return
    this.#wasReady = true
    this.emit('ready-to-show')
  }

  show(): void {
    this.#isShown = true
    this.#isMinimized = false
    this.emit('show')
  }

  focus(): void {
    windowServer().tell('window.focus', this.id)
    this.emit('focus')
  }

  isVisible(): boolean {
    return this.#isShown
  }

  minimize(): void {
    this.#isMinimized = true
  }

  restore(): void {
    this.#isMinimized = false
  }

  isMinimized(): boolean {
    return this.#isMinimized
  }

  maximize(): void {
    this.#isMaximized = true
  }

  isMaximized(): boolean {
    return this.#isMaximized
  }

  setBounds(bounds: Partial<Bounds>): void {
    this.#bounds = { ...this.#bounds, ...bounds }
    this.emit('move')
    this.emit('resize')
  }

  getBounds(): Bounds {
    return this.#bounds
  }

  getNormalBounds(): Bounds {
    return this.#bounds
  }

  setOverlayIcon(icon: unknown, description: string): void {
    this.overlay = { icon, description }
  }

  isDestroyed(): boolean {
    return this.#isDestroyed
  }

  close(): void {
    const event = preventable({})
    this.emit('close', event)
    if (!event.defaultPrevented) this.destroy()
  }

  destroy(): void {
    if (this.#isDestroyed) return
    this.#isDestroyed = true
    windows.delete(this.id)
    windowServer().tell('window.close', this.id)
    this.emit('closed')
    if (windows.size === 0) app.windowsAreClosed()
  }
}

quitSteps.closeWindows = () => {
  for (const window of [...windows.values()]) window.close()
  return windows.size === 0
}

class IpcMain extends EventEmitter {
  #handlers = new Map<string, InvokeHandler>()

  handle(channel: string, handler: InvokeHandler): void {
    if (this.#handlers.has(channel)) {
      throw new Error(`Attempted to register a second handler for '${channel}'`)
    }
    this.#handlers.set(channel, handler)
  }

  /** A page's call, with Electron's words for a failure. */
  async invoked(channel: string, event: object, args: readonly unknown[]): Promise<unknown> {
    const handler = this.#handlers.get(channel)
    if (!handler) throw new Error(`No handler registered for '${channel}'`)
    try {
      return await handler(event, ...args)
    } catch (failure) {
      throw new Error(`Error invoking remote method '${channel}': ${String(failure)}`, { cause: failure })
    }
  }
}

export const ipcMain = new IpcMain()

interface SenderFrame {
  url: string
  isMainFrame: boolean
}

/** A call as if it came from `frame` of a window; tests use it for frames that Chromium itself would not let call. */
export async function invokeFrom(
  windowId: number,
  frame: SenderFrame,
  channel: string,
  args: readonly unknown[] = [],
): Promise<unknown> {
  const window = windows.get(windowId)
  // The answer would have nowhere to go.
  if (!window) return undefined
  const { webContents } = window
  const senderFrame = frame.isMainFrame
    ? new WebFrameMain(windowId, frame.url)
    : new WebFrameMain(windowId, frame.url, webContents.mainFrame)
  return ipcMain.invoked(channel, { sender: webContents, senderFrame, type: 'frame' }, args)
}

parentPeer?.on('ipc.invoke', invokeFrom)
parentPeer?.on('page.committed', (id: number, url: string) => windows.get(id)?.webContents.committed(url))
parentPeer?.on('page.navigates', (id: number, url: string, isMainFrame: boolean) =>
  windows.get(id)?.webContents.mayNavigate(url, isMainFrame),
)
parentPeer?.on('page.opens', (id: number, url: string) => windows.get(id)?.webContents.mayOpen(url))
parentPeer?.on('page.crashed', (id: number) =>
  windows.get(id)?.webContents.emit('render-process-gone', {}, { reason: 'crashed', exitCode: 139 }),
)
parentPeer?.on('page.closed', (id: number) => windows.get(id)?.close())
parentPeer?.on('page.permission', (permission: string, url: string) =>
  session.defaultSession.asksFor(permission, url),
)
parentPeer?.on('page.requests', async (url: string, method: string) => {
  const response = await protocol.answer(new Request(url, { method }))
  if (!response) return undefined
  const body = new Uint8Array(await response.arrayBuffer())
  return { status: response.status, headers: Object.fromEntries(response.headers), body }
})
