import type { BrowserContext, CDPSession, Frame, Page, Route } from '@playwright/test'
import { randomUUID } from 'node:crypto'
import { fromShown, isOurs, toShown } from './origins.ts'
import { pageScript, type FromPage, type PageMessage } from './page-runtime.ts'
import type { Peer } from './wire.ts'

interface Answer {
  status: number
  headers: Record<string, string>
  body: Uint8Array
}

interface ShownWindow {
  page: Page
  receiveName: string
  /** The address the app itself is loading; no listener is asked about it. */
  loading: string | undefined
  preload: string
  isCrashed: boolean
}

/** Chromium's names for what Electron's handlers decide about. */
const permissions: Record<string, string> = {
  notifications: 'notifications',
  'clipboard-sanitized-write': 'clipboard-write',
  'clipboard-read': 'clipboard-read',
  geolocation: 'geolocation',
  media: 'microphone',
  midi: 'midi',
}

/** Shows the windows of an app on the double as pages of one browser context. */
export class WindowServer {
  readonly pages: Page[] = []
  #app: Peer
  #newContext: () => Promise<BrowserContext>
  #context: Promise<BrowserContext> | undefined
  #windows = new Map<number, Promise<ShownWindow>>()
  #portOwners = new Map<string, number>()
  #pageListeners: (() => void)[] = []

  constructor(app: Peer, newContext: () => Promise<BrowserContext>) {
    this.#app = app
    this.#newContext = newContext
    app.on('window.create', (id: number, preload: string) => this.#create(id, preload))
    app.on('window.load', (id: number, url: string) => this.#load(id, url))
    app.on('window.close', (id: number) => void this.#close(id))
    app.on('window.focus', (id: number) => void this.#with(id, ({ page }) => page.bringToFront()))
    app.on('window.send', (id: number, channel: string, args: unknown[], portIds: string[]) => {
      for (const port of portIds) this.#portOwners.set(port, id)
      this.#toPage(id, { kind: 'send', channel, args, portIds })
    })
    app.on('port.data', (port: string, data: string | Uint8Array) => {
      const owner = this.#portOwners.get(port)
      if (owner !== undefined) this.#toPage(owner, { kind: 'port.data', id: port, data })
    })
    app.on('port.close', (port: string) => {
      const owner = this.#portOwners.get(port)
      this.#portOwners.delete(port)
      if (owner !== undefined) this.#toPage(owner, { kind: 'port.close', id: port })
    })
  }

  /** Resolves with the page of the window that was opened as the `count`th. */
  async window(count = 1): Promise<Page> {
    for (;;) {
      const page = this.pages[count - 1]
      if (page) return page
      await new Promise<void>((resolve) => this.#pageListeners.push(resolve))
    }
  }

  async close(): Promise<void> {
    await (await this.#context)?.close()
  }

  #create(id: number, preload: string): void {
    const created = this.#open(id, preload)
    this.#windows.set(id, created)
    // Whoever uses the window next gets the failure.
    created.catch(() => undefined)
  }

  async #open(id: number, preload: string): Promise<ShownWindow> {
    this.#context ??= this.#newContext()
    const page = await (await this.#context).newPage()
    const names = { tell: `tell_${randomUUID()}`, receive: `receive_${randomUUID()}` }
    const shown: ShownWindow = {
      page,
      receiveName: names.receive,
      loading: undefined,
      preload,
      isCrashed: false,
    }
    await page.exposeBinding(names.tell, ({ frame }, message: FromPage) => this.#fromPage(id, frame, message))
    await page.addInitScript({
      content: pageScript(preload, new URL(toShown('pilothouse-app://app/')).origin, names),
    })
    await page.route('**/*', (route) => this.#answer(id, shown, route))
    page.on('framenavigated', (frame) => {
      if (frame === page.mainFrame()) this.#app.tell('page.committed', id, fromShown(frame.url()))
    })
    page.on('crash', () => {
      shown.isCrashed = true
      this.#dropPorts(id)
      this.#app.tell('page.crashed', id)
    })
    page.on('close', () => {
      if (shown.isCrashed) return
      this.#dropPorts(id)
      this.#windows.delete(id)
      this.#app.tell('page.closed', id)
    })
    await this.#watchPopups(id, page)
    this.pages.push(page)
    for (const opened of this.#pageListeners.splice(0)) opened()
    return shown
  }

  /** In Electron a denied window never exists; here it can only be closed at once. */
  async #watchPopups(id: number, page: Page): Promise<void> {
    page.on('popup', (popup) => void popup.close().catch(() => undefined))
    const devtools: CDPSession = await page.context().newCDPSession(page)
    devtools.on('Page.windowOpen', ({ url }) => void this.#app.call('page.opens', id, fromShown(url)))
    await devtools.send('Page.enable')
  }

  async #load(id: number, url: string): Promise<void> {
    // Electron gives a crashed window a new process; here it takes a new page.
    await this.#with(id, async ({ page, preload, isCrashed }) => {
      if (!isCrashed) return
      this.#create(id, preload)
      await page.close()
    })
    await this.#with(id, async (shown) => {
      await this.#grant(shown.page, url)
      shown.loading = toShown(url)
      try {
        await shown.page.goto(shown.loading, { waitUntil: 'load' })
      } catch (failure) {
        const code = /ERR_[A-Z_]+/.exec(String(failure))?.[0] ?? 'ERR_FAILED'
        throw Object.assign(new Error(String(failure)), { code })
      } finally {
        shown.loading = undefined
      }
    })
  }

  /** Chromium is told beforehand what Electron would ask the app about at the time. */
  async #grant(page: Page, url: string): Promise<void> {
    const granted: string[] = []
    for (const [electronName, chromiumName] of Object.entries(permissions)) {
      const answer = await this.#app.call<{ request: boolean; check: boolean }>(
        'page.permission',
        electronName,
        url,
      )
      if (answer.request && answer.check) granted.push(chromiumName)
    }
    await page.context().grantPermissions(granted, { origin: new URL(toShown(url)).origin })
  }

  async #answer(id: number, shown: ShownWindow, route: Route): Promise<void> {
    const request = route.request()
    const url = request.url()
    if (request.isNavigationRequest() && url !== shown.loading) {
      const isMainFrame = request.frame() === shown.page.mainFrame()
      const isAllowed = await this.#app.call<boolean>('page.navigates', id, fromShown(url), isMainFrame)
      if (!isAllowed) return route.abort('aborted')
    }
    // The document before loses its ports as it goes.
    if (request.isNavigationRequest() && request.frame() === shown.page.mainFrame()) this.#dropPorts(id)
    if (!isOurs(url)) {
      // There is no network here. A page that was let go elsewhere is shown to have gone.
      return request.isNavigationRequest()
        ? route.fulfill({ contentType: 'text/html', body: '<title>elsewhere</title>' })
        : route.abort('blockedbyclient')
    }
    const answer = await this.#app.call<Answer | undefined>('page.requests', fromShown(url), request.method())
    if (!answer) return route.abort('failed')
    return route.fulfill({ ...answer, body: Buffer.from(answer.body) })
  }

  #fromPage(id: number, frame: Frame, message: FromPage): void {
    if (message.kind === 'port.data') {
      this.#app.tell('port.data', message.id, message.data)
    } else if (message.kind === 'port.close') {
      this.#portOwners.delete(message.id)
      this.#app.tell('port.close', message.id)
    } else {
      const sender = { url: fromShown(frame.url()), isMainFrame: frame.parentFrame() === null }
      void this.#app.call('ipc.invoke', id, sender, message.channel, message.args).then(
        (value) => this.#toPage(id, { kind: 'answer', call: message.call, value, error: null }),
        (failure: Error) =>
          this.#toPage(id, { kind: 'answer', call: message.call, value: null, error: failure.message }),
      )
    }
  }

  #toPage(id: number, message: PageMessage): void {
    void this.#with(
      id,
      ({ page, receiveName }) =>
        page.evaluate(
          ([name, content]) => (window as unknown as Record<string, (m: unknown) => void>)[name]?.(content),
          [receiveName, message] as const,
        ),
      // A page that navigates or closes takes what was on its way to it along.
    ).catch(() => undefined)
  }

  #dropPorts(id: number): void {
    for (const [port, owner] of this.#portOwners) {
      if (owner !== id) continue
      this.#portOwners.delete(port)
      this.#app.tell('port.close', port)
    }
  }

  async #close(id: number): Promise<void> {
    await this.#with(id, ({ page }) => page.close()).catch(() => undefined)
  }

  async #with<Value>(id: number, use: (shown: ShownWindow) => Promise<Value>): Promise<Value> {
    const shown = await this.#windows.get(id)
    if (!shown) throw new Error(`there is no window ${id}`)
    return use(shown)
  }
}
