import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { AppError, messageOf, sleep, type Clock } from '../base/index.ts'

export interface BrowserRequest {
  /** A launch address. */
  url: string
  platform: NodeJS.Platform
  env: NodeJS.ProcessEnv
  /** A directory of this user that browsers can read. */
  directory: string
  clock: Clock
  /** Whether the page has not been opened yet. */
  isPending: () => boolean | Promise<boolean>
  /** Ends the wait early. */
  signal: AbortSignal
}

/** A browser that did not come by then does not come. */
const openWithinMs = 60_000
const lookEveryMs = 250

/**
 * Opens a launch address in the person's browser; says whether there was one to start. The browser gets the name of a
 * file that only this user can read, and the file leads to the address: every user of this machine can read the
 * arguments of every process. `opened` resolves when the file is gone: the page is open, or did not open in time. Throws
 * UNAVAILABLE when the file cannot be written.
 */
export function openInBrowser(request: BrowserRequest): { opened: Promise<void> } | null {
  const { url, platform, env, directory } = request
  if (!hasBrowser(platform, env)) return null
  let folder = ''
  const remove = () => {
    if (folder !== '') rmSync(folder, { recursive: true, force: true })
  }
  try {
    folder = mkdtempSync(join(directory, 'pilothouse-open-'))
    const file = join(folder, 'open.html')
    writeFileSync(file, redirectPage(url), { mode: 0o600, flag: 'wx' })
    const [program, ...args] = browserCommand(pathToFileURL(file).href, platform)
    const child = spawn(program, args, { stdio: 'ignore', detached: true, env })
    // Not having a browser is no failure: the address is in the terminal.
    child.on('error', () => undefined)
    child.unref()
  } catch (failure) {
    remove()
    throw new AppError('UNAVAILABLE', `The browser cannot be opened: ${messageOf(failure)}.`, {
      cause: failure,
    })
  }
  return { opened: untilOpened(request).finally(remove) }
}

async function untilOpened({ clock, isPending, signal }: BrowserRequest): Promise<void> {
  const deadlineMs = clock.monotonicMs() + openWithinMs
  try {
    while (clock.monotonicMs() < deadlineMs && (await isPending())) await sleep(clock, lookEveryMs, signal)
  } catch {
    // The end came first, or the engine has gone.
  }
}

/** Works without scripts: it is not a page of ours, and its policy is the browser's. */
const redirectPage = (url: string): string => `<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url=${escaped(url)}">
<title>Pilothouse</title>
<p><a href="${escaped(url)}">Open Pilothouse</a></p>
`

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')

const hasBrowser = (platform: NodeJS.Platform, env: NodeJS.ProcessEnv): boolean =>
  platform === 'darwin' || platform === 'win32' || Boolean(env['DISPLAY'] || env['WAYLAND_DISPLAY'])

function browserCommand(url: string, platform: NodeJS.Platform): [string, ...string[]] {
  if (platform === 'darwin') return ['open', url]
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler', url]
  return ['xdg-open', url]
}

/**
 * Where the file for the browser is put. Browsers from Snap see neither hidden folders of the home directory nor the
 * system's temporary files, so on Linux it is the home directory itself.
 */
export const browserDirectory = (
  platform: NodeJS.Platform,
  places: { home: string; temporary: string },
): string => (platform === 'linux' ? places.home : places.temporary)
