import { app } from 'electron'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { EdgeProgram } from '../src/hosts/edge/index.ts'

/** What makes this program be the embedded platform instead of the desktop app. */
const edgeFlag = '--pilothouse-edge'

/**
 * How the engine starts the embedded platform. An installed app has no Node to lend, and running Electron as Node is
 * fused off, so that it names itself; undefined outside Electron, where the engine's own Node does it.
 */
export function edgeProgram(): EdgeProgram | undefined {
  if (process.versions['electron'] === undefined) return undefined
  const appPath = app.isPackaged ? [] : [app.getAppPath()]
  // It has no screen to lose: it outlives the session that it was started in.
  const headless = process.platform === 'linux' ? ['--ozone-platform=headless'] : []
  return { command: process.execPath, args: [...appPath, ...headless, edgeFlag] }
}

/** The directory that the arguments name, when they ask for the embedded platform. */
export function edgeDirectoryIn(argv: readonly string[]): string | undefined {
  if (!argv.includes(edgeFlag)) return undefined
  const { values } = parseArgs({
    args: argv.slice(argv.indexOf(edgeFlag) + 1),
    options: { directory: { type: 'string' } },
    strict: false,
  })
  if (typeof values.directory !== 'string') throw new Error(`${edgeFlag} --directory PATH is required`)
  return values.directory
}

/** Is the embedded platform until it is told to stop: no window, no tray, no lock of the app. */
export async function runAsEdge(directory: string): Promise<void> {
  // Apart from the app's own files, which an instance of the app may hold at the same time.
  app.setPath('userData', join(directory, 'electron'))
  app.disableHardwareAcceleration()
  app.dock?.hide()
  // Its output may go to a file on a full disk, or to nobody: no reason to end.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  try {
    const { runEdge } = await import('../src/hosts/edge/index.ts')
    await runEdge({
      directory,
      environment: process.env,
      onReady: (socketPath) => process.stdout.write(`edge serves at ${socketPath}\n`),
    })
    app.exit(0)
  } catch (failure) {
    process.stderr.write(`pilothouse edge: ${failure instanceof Error ? failure.message : String(failure)}\n`)
    app.exit(1)
  }
}
