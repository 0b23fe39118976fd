import { join } from 'node:path'
import { launchDouble } from '../../support/electron/launch.ts'
import { enginePidOf, type Desktop } from './desktop.ts'
import type { ShellOptions } from './shell.ts'
import { dist, surroundingsIn } from './surroundings.ts'

/** The built desktop shell on the double of Electron, its windows in the test's own browser. */
export async function openDouble(options: ShellOptions): Promise<Desktop> {
  const { env, configFile } = surroundingsIn(options)
  const app = launchDouble({
    main: options.program ? join(options.program, 'dist', 'electron', 'main.js') : dist('electron/main.js'),
    args: [`--user-data-dir=${join(options.directory, 'user-data')}`, ...(options.args ?? [])],
    env,
    newContext: options.newContext,
  })
  try {
    return {
      kind: 'double',
      pid: app.pid,
      page: await app.window(),
      configFile,
      window: (count) => app.window(count),
      evaluate: (use, argument) => app.evaluate(use, argument),
      evaluateDouble: (use, argument) => app.evaluate(use, argument),
      enginePid: () => app.evaluate(enginePidOf),
      ended: app.ended,
      close: () => app.close(),
    }
  } catch (failure) {
    await app.close()
    throw failure
  }
}
