import { _electron } from '@playwright/test'
import { once } from 'node:events'
import { join } from 'node:path'
import { enginePidOf, type Desktop } from './desktop.ts'
import type { ShellOptions } from './shell.ts'
import { dist, surroundingsIn } from './surroundings.ts'

/** The built desktop shell on Electron's own binary, driven through Playwright. */
export async function openElectron(options: ShellOptions): Promise<Desktop> {
  const { env, configFile } = surroundingsIn(options)
  // Chromium's sandbox does not start as root; nobody runs the app so but CI in a container.
  const isRoot = process.getuid?.() === 0
  const electron = await _electron.launch({
    args: [
      dist('electron/main.js'),
      `--user-data-dir=${join(options.directory, 'user-data')}`,
      ...(isRoot ? ['--no-sandbox'] : []),
      ...(options.args ?? []),
    ],
    env: Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => !!entry[1])),
  })
  const child = electron.process()
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  const evaluate: Desktop['evaluate'] = (use, argument) =>
    electron.evaluate(use as unknown as Parameters<typeof electron.evaluate>[0], argument) as Promise<never>
  const window = async (count: number) => {
    while (electron.windows().length < count) await electron.waitForEvent('window')
    const page = electron.windows()[count - 1]
    if (!page) throw new Error(`there is no window ${count}`)
    return page
  }
  return {
    kind: 'electron',
    pid: child.pid ?? 0,
    page: await window(1),
    configFile,
    window,
    evaluate,
    evaluateDouble: () => Promise.reject(new Error('this is Electron, not its double')),
    enginePid: () => evaluate(enginePidOf),
    ended,
    close: () => electron.close(),
  }
}
