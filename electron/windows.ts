import { BrowserWindow, screen, type WebContents } from 'electron'
import { desktopChannels, type EngineProcessState } from '../src/contract/index.ts'
import { appUrl, isAppUrl } from './app-scheme-path.ts'
import { fitToDisplays, minimalSize, readWindowState, writeWindowState } from './window-state.ts'

export interface WindowsOptions {
  preload: string
  /** File that keeps size and place of the window closed or moved last. */
  stateFile: string
}

/** Size and place are written this long after the last change. */
const settleMs = 500
/** A page that dies twice within this time is left dead: a page that cannot live must not use up the machine. */
const diedAgainWithinMs = 10_000

/** The app's windows: each shows the screens in a sandboxed page. */
export class Windows {
  #options: WindowsOptions
  #open: BrowserWindow[] = []

  constructor(options: WindowsOptions) {
    this.#options = options
  }

  has(contents: WebContents): boolean {
    return this.#open.some((window) => window.webContents === contents)
  }

  /** Opens a further window at a screen. */
  open(path = '/'): BrowserWindow {
    const { bounds, isMaximized } = this.#place()
    const window = new BrowserWindow({
      ...bounds,
      minWidth: minimalSize.width,
      minHeight: minimalSize.height,
      title: 'Pilothouse',
      // The dark theme's ground, so that nothing flashes before the first paint.
      backgroundColor: '#0b1016',
      show: false,
      webPreferences: {
        preload: this.#options.preload,
        sandbox: true,
        contextIsolation: true,
        nodeIntegration: false,
        nodeIntegrationInWorker: false,
        nodeIntegrationInSubFrames: false,
        webviewTag: false,
        webSecurity: true,
        allowRunningInsecureContent: false,
        experimentalFeatures: false,
        spellcheck: false,
      },
    })
    if (isMaximized) window.maximize()
    this.#open.push(window)
    window.once('ready-to-show', () => window.show())
    window.once('closed', () => {
      this.#open = this.#open.filter((other) => other !== window)
    })
    this.#keepPlace(window)
    this.#revive(window)
    void this.#load(window, path)
    return window
  }

  /** Brings a window to the front, at the screen `path` when given; opens one when there is none. */
  show(path?: string): void {
    const window = BrowserWindow.getFocusedWindow() ?? this.#open.at(-1)
    if (!window) {
      this.open(path)
      return
    }
    if (path !== undefined) window.webContents.send(desktopChannels.navigate, path)
    if (window.isMinimized()) window.restore()
    window.show()
    window.focus()
  }

  tellEngineState(state: EngineProcessState): void {
    for (const window of this.#open) window.webContents.send(desktopChannels.engineState, state)
  }

  /** On systems that show a badge on the window's own button instead of the app's. */
  setOverlay(icon: Electron.NativeImage | null, description: string): void {
    for (const window of this.#open) window.setOverlayIcon(icon, description)
  }

  #place() {
    const primary = screen.getPrimaryDisplay()
    const others = screen.getAllDisplays().filter(({ id }) => id !== primary.id)
    const workAreas = [primary, ...others].map(({ workArea }) => workArea)
    const placed = fitToDisplays(readWindowState(this.#options.stateFile), workAreas)
    const step = 28 * this.#open.length
    return {
      ...placed,
      bounds: { ...placed.bounds, x: placed.bounds.x + step, y: placed.bounds.y + step },
    }
  }

  #keepPlace(window: BrowserWindow): void {
    let timer: NodeJS.Timeout | undefined
    const write = () => {
      clearTimeout(timer)
      if (window.isDestroyed() || window.isMinimized()) return
      writeWindowState(this.#options.stateFile, {
        bounds: window.getNormalBounds(),
        isMaximized: window.isMaximized(),
      })
    }
    const later = () => {
      clearTimeout(timer)
      timer = setTimeout(write, settleMs)
    }
    window.on('resize', later)
    window.on('move', later)
    window.on('close', write)
  }

  /** A page's process that died leaves a blank window: load the page again, where it was. */
  #revive(window: BrowserWindow): void {
    let diedAtMs = Number.NEGATIVE_INFINITY
    window.webContents.on('render-process-gone', (_event, { reason }) => {
      if (reason === 'clean-exit' || window.isDestroyed()) return
      const isAgain = performance.now() - diedAtMs < diedAgainWithinMs
      diedAtMs = performance.now()
      if (isAgain) return
      const url = window.webContents.getURL()
      const { pathname, search } = new URL(isAppUrl(url) ? url : appUrl('/'))
      void this.#load(window, pathname + search)
    })
  }

  async #load(window: BrowserWindow, path: string): Promise<void> {
    try {
      await window.loadURL(appUrl(path))
    } catch (failure) {
      // Closed while loading, or overtaken by another address: neither leaves anything to do.
      const { code } = failure as { code?: string }
      if (!window.isDestroyed() && code !== 'ERR_ABORTED') throw failure
    }
  }
}
