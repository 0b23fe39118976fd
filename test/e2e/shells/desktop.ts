import type { Page } from '@playwright/test'
import type * as electronDouble from '../../support/electron/index.ts'
import type { Shell } from './shell.ts'

/** What a spec can use of `electron` on the double and on Electron alike. */
export type Electron = Pick<
  typeof electronDouble,
  'app' | 'BrowserWindow' | 'Menu' | 'MenuItem' | 'protocol' | 'session'
>

/** The desktop shell, on the double or on Electron. */
export interface Desktop extends Shell {
  kind: 'double' | 'electron'
  pid: number
  /** Page of the window opened as the `count`th, waiting for it. */
  window(count: number): Promise<Page>
  /** Runs `use` in the main process. It is sent as text: it can use nothing from outside. */
  evaluate<Value, Argument = undefined>(
    use: (electron: Electron, argument: Argument) => Value | Promise<Value>,
    argument?: Argument,
  ): Promise<Value>
  /** As `evaluate`, with what only the double records and can do. */
  evaluateDouble<Value, Argument = undefined>(
    use: (electron: typeof electronDouble, argument: Argument) => Value | Promise<Value>,
    argument?: Argument,
  ): Promise<Value>
  /** Resolves with the exit code when the app has ended. */
  ended: Promise<number | null>
}

/** Serialized into the main process. */
export const enginePidOf = ({ app }: Electron): number => {
  const engine = app.getAppMetrics().find(({ name }) => name === 'Pilothouse engine')
  if (!engine) throw new Error('there is no engine process')
  return engine.pid
}
