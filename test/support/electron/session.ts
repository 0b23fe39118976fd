import { app } from './app.ts'

type SchemeHandler = (request: Request) => Promise<Response> | Response
type PermissionDetails = { requestingUrl?: string; isMainFrame: boolean }
type RequestHandler = (
  contents: unknown,
  permission: string,
  answer: (isGranted: boolean) => void,
  details: PermissionDetails,
) => void
type CheckHandler = (
  contents: unknown,
  permission: string,
  origin: string,
  details: PermissionDetails,
) => boolean

class Protocol {
  #handlers = new Map<string, SchemeHandler>()
  readonly privileged: { scheme: string; privileges?: Record<string, boolean> }[] = []

  registerSchemesAsPrivileged(schemes: { scheme: string; privileges?: Record<string, boolean> }[]): void {
    if (app.isReady()) {
      throw new Error('protocol.registerSchemesAsPrivileged should be called before app is ready')
    }
    this.privileged.push(...schemes)
  }

  handle(scheme: string, handler: SchemeHandler): void {
    if (!app.isReady()) throw new Error('protocol.handle can only be used when the app is ready')
    if (this.#handlers.has(scheme)) throw new Error(`scheme ${scheme} is handled already`)
    this.#handlers.set(scheme, handler)
  }

  isProtocolHandled(scheme: string): boolean {
    return this.#handlers.has(scheme)
  }

  /** What a page's request is answered with; undefined when nobody handles the scheme. */
  async answer(request: Request): Promise<Response | undefined> {
    return this.#handlers.get(new URL(request.url).protocol.slice(0, -1))?.(request)
  }
}

class Session {
  readonly protocol = new Protocol()
  #request: RequestHandler | undefined
  #check: CheckHandler | undefined
  #device: ((details: object) => boolean) | undefined

  setPermissionRequestHandler(handler: RequestHandler | null): void {
    this.#request = handler ?? undefined
  }

  setPermissionCheckHandler(handler: CheckHandler | null): void {
    this.#check = handler ?? undefined
  }

  setDevicePermissionHandler(handler: ((details: object) => boolean) | null): void {
    this.#device = handler ?? undefined
  }

  /** As Chromium asks; without a handler Electron grants everything. */
  asksFor(permission: string, url: string): { request: boolean; check: boolean } {
    let request = this.#request === undefined
    const details = { requestingUrl: url, isMainFrame: true }
    this.#request?.(null, permission, (isGranted) => (request = isGranted), details)
    const origin = new URL('/', url).href
    return { request, check: this.#check?.(null, permission, origin, details) ?? true }
  }

  grantsDevice(): boolean {
    return this.#device?.({}) ?? true
  }
}

const defaultSession = new Session()

export const session = { defaultSession }
export const protocol = defaultSession.protocol
