import { app } from 'electron'
import { pathToFileURL } from 'node:url'

/**
 * The command that the app was started with, as in `pilothouse rollback checkout`: a bare word comes first. Switches are
 * Electron's and ours, a link has a scheme. Undefined when it is to be the desktop app.
 */
export function commandIn(argv: readonly string[], isPackaged: boolean): string[] | undefined {
  const args = argv.slice(isPackaged ? 1 : 2)
  return /^[a-z][a-z-]*$/.test(args[0] ?? '') ? args : undefined
}

/** Is the command line until the command has ended: no window, no tray, no lock of the app. */
export async function runCommand(args: readonly string[], entry: string): Promise<void> {
  app.dock?.hide()
  process.argv = [process.execPath, entry, ...args]
  try {
    await import(pathToFileURL(entry).href)
    app.exit(Number(process.exitCode ?? 0))
  } catch (failure) {
    process.stderr.write(`pilothouse: ${failure instanceof Error ? failure.message : String(failure)}\n`)
    app.exit(1)
  }
}
