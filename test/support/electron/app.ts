import { EventEmitter } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SingleInstance } from './single-instance.ts'
import { parentPeer } from './parent.ts'
import { metricsOfChildren } from './utility-process.ts'

export interface PreventableEvent {
  defaultPrevented: boolean
  preventDefault(): void
}

export function preventable<Details extends object>(details: Details): Details & PreventableEvent {
  const event = {
    ...details,
    defaultPrevented: false,
    preventDefault: () => void (event.defaultPrevented = true),
  }
  return event
}

interface PackageFile {
  version: string
  productName: string
}

const packageFile = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
) as PackageFile

/** Windows close themselves when asked to by a quit; set by the windows' own module. */
export const quitSteps: { closeWindows: () => boolean } = { closeWindows: () => true }

class App extends EventEmitter {
  readonly name = packageFile.productName
  readonly isPackaged = false
  #isReady = false
  #isQuitting = false
  #ready = Promise.withResolvers<void>()
  #userData: string | undefined
  #instance: SingleInstance | undefined
  /** What the app asked of the system, for tests. */
  readonly asked = { badgeCount: 0, isSandboxed: false, protocolClients: [] as string[] }

  /** Called by the double when the app's entry has run, as Electron does. */
  becomeReady(): void {
    this.#isReady = true
    this.#ready.resolve()
    this.emit('ready', {})
  }

  isReady(): boolean {
    return this.#isReady
  }

  whenReady(): Promise<void> {
    return this.#ready.promise
  }

  getVersion(): string {
    return packageFile.version
  }

  getAppPath(): string {
    return new URL('../../../', import.meta.url).pathname
  }

  getPath(name: string): string {
    if (name !== 'userData') throw new Error(`the double has no path ${name}`)
    const chosen = process.argv.find((argument) => argument.startsWith('--user-data-dir='))
    this.#userData ??= chosen?.slice('--user-data-dir='.length) ?? mkdtempSync(join(tmpdir(), 'pilothouse-'))
    mkdirSync(this.#userData, { recursive: true })
    return this.#userData
  }

  setPath(name: string, path: string): void {
    if (name !== 'userData') throw new Error(`the double has no path ${name}`)
    this.#userData = path
  }

  disableHardwareAcceleration(): void {
    if (this.#isReady) throw new Error('disableHardwareAcceleration() can only be called before app is ready')
  }

  /** Only where there is one: macOS. */
  readonly dock: { hide(): void } | undefined = undefined

  enableSandbox(): void {
    if (this.#isReady) throw new Error('app.enableSandbox() can only be called before app is ready')
    this.asked.isSandboxed = true
  }

  requestSingleInstanceLock(): boolean {
    this.#instance ??= new SingleInstance(this.getPath('userData'), (argv, cwd) =>
      this.emit('second-instance', preventable({}), argv, cwd, undefined),
    )
    return this.#instance.isFirst
  }

  setAsDefaultProtocolClient(scheme: string): boolean {
    this.asked.protocolClients.push(scheme)
    return true
  }

  setAppUserModelId(): void {
    // Known to Windows only.
  }

  /** This process, and its utility processes under the names they were given. */
  getAppMetrics(): { pid: number; type: string; name?: string }[] {
    return [{ pid: process.pid, type: 'Browser' }, ...metricsOfChildren()]
  }

  setBadgeCount(count: number): boolean {
    this.asked.badgeCount = count
    return true
  }

  quit(): void {
    const before = preventable({})
    this.emit('before-quit', before)
    if (before.defaultPrevented) return
    this.#isQuitting = true
    if (!quitSteps.closeWindows()) {
      this.#isQuitting = false
      return
    }
    const will = preventable({})
    this.emit('will-quit', will)
    if (will.defaultPrevented) return
    this.emit('quit', {}, 0)
    this.exit(0)
  }

  exit(code = 0): never {
    this.#instance?.release()
    process.exit(code)
  }

  /** Electron quits by itself only when nobody listens; while quitting the event is not sent. */
  windowsAreClosed(): void {
    if (this.#isQuitting) return
    if (!this.emit('window-all-closed')) this.quit()
  }
}

export const app = new App()

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  if (parentPeer) process.on(signal, () => app.quit())
}
// The browser that shows the windows is gone with the test that drove it.
if (parentPeer) process.once('disconnect', () => app.quit())
