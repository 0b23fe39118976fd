import type { BrowserContext, Page } from '@playwright/test'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type * as electronDouble from './index.ts'
import { WindowServer } from './window-server.ts'
import { Peer, wireToChild } from './wire.ts'

export interface LaunchOptions {
  /** The app's built main program. */
  main: string
  args: readonly string[]
  env: NodeJS.ProcessEnv
  /** Where its windows are shown. */
  newContext: () => Promise<BrowserContext>
}

/** A desktop app running on the double. The names are those of Playwright's ElectronApplication where it has them. */
export interface DoubleApp {
  pid: number
  /** Page of the window opened as the `count`th, waiting for it. */
  window(count?: number): Promise<Page>
  /** Runs `use` in the main process with the electron module. It is sent as text: it can use nothing from outside. */
  evaluate<Value, Argument = undefined>(
    use: (electron: typeof electronDouble, argument: Argument) => Value | Promise<Value>,
    argument?: Argument,
  ): Promise<Value>
  /** Resolves with the exit code when the app has ended. */
  ended: Promise<number | null>
  /** What the app wrote to its standard error so far. */
  stderr(): string
  /** Quits as a person does and waits for the end. */
  close(): Promise<void>
}

const closeWithinMs = 15_000

/** Starts the app's main process on the double of Electron. */
export function launchDouble({ main, args, env, newContext }: LaunchOptions): DoubleApp {
  const child = fork(fileURLToPath(new URL('./boot.ts', import.meta.url)), [main, ...args], {
    serialization: 'advanced',
    env: { ...env, ELECTRON_DOUBLE: '1' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // Not those of the test runner, which are for its own loader.
    execArgv: [],
  })
  const peer = new Peer(wireToChild(child))
  const windows = new WindowServer(peer, newContext)
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = once(child, 'exit').then(([code]) => code as number | null)

  return {
    pid: child.pid ?? 0,
    window: (count) =>
      Promise.race([
        windows.window(count),
        ended.then((code) => {
          throw new Error(`the app ended with code ${code} before its window opened:\n${stderr}`)
        }),
      ]),
    evaluate: (use, argument) => peer.call('evaluate', use.toString(), argument),
    ended,
    stderr: () => stderr,
    close: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM')
        const force = setTimeout(() => child.kill('SIGKILL'), closeWithinMs)
        await ended
        clearTimeout(force)
      }
      await windows.close()
    },
  }
}
