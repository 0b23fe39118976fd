import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readTextIfThere } from './files.mjs'
import { inProject, root } from './project.mjs'
import { dim, phase, say, seconds } from './terminal.mjs'

const home = inProject('node_modules', 'electron')
const failureFile = inProject('node_modules', '.cache', 'pilothouse', 'electron-failure.json')

/** The version of Electron the project needs, as its package in node_modules says. */
export const electronVersion = () =>
  /** @type {{ version: string }} */ (JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))).version

/**
 * Electron's program, looked for as its own package does, but without importing it: that would start a download.
 * @returns {string | null} Null when it is missing or of another version.
 */
export function electronBinary() {
  const elsewhere = process.env.ELECTRON_OVERRIDE_DIST_PATH
  const directory = elsewhere ?? join(home, 'dist')
  const program = readTextIfThere(join(home, 'path.txt')) ?? defaultProgram()
  if (!existsSync(join(directory, program))) return null
  if (elsewhere !== undefined) return join(directory, program)
  const version = readTextIfThere(join(directory, 'version'))?.trim().replace(/^v/, '')
  return version === electronVersion() ? join(directory, program) : null
}

function defaultProgram() {
  if (process.platform === 'win32') return 'electron.exe'
  return process.platform === 'darwin' ? 'Electron.app/Contents/MacOS/Electron' : 'electron'
}

/** @returns {{ version: string, atMs: number } | null} The last download that failed, as far as it is remembered. */
export function rememberedFailure() {
  try {
    const { version, atMs } = JSON.parse(readTextIfThere(failureFile) ?? 'null') ?? {}
    return typeof version === 'string' && typeof atMs === 'number' ? { version, atMs } : null
  } catch {
    return null
  }
}

/**
 * Tries once to download Electron's binary.
 * @param {import('./children.mjs').Children} children
 * @param {string} node
 * @param {{ limitMs: number }} options It is given up after `limitMs`; Infinity waits as long as it takes.
 * @returns {Promise<string | null>} Why it could not, in a few words, which is remembered; null when it is there.
 */
export async function fetchElectron(children, node, { limitMs }) {
  const running = phase(`Fetching Electron ${electronVersion()}`)
  let lastError = ''
  const exit = await children.run(node, [join(home, 'install.js')], {
    cwd: root,
    onLine: (line) => {
      const error = /^\s*(?:\w*Error|cause|\[cause\]): ?(.+)/.exec(line)?.[1]
      if (error) lastError ||= error.trim()
    },
    ...(limitMs === Infinity ? {} : { limitMs }),
  })
  const tookMs = running.end()
  if (children.isStopping) return 'interrupted'
  if (exit.code === 0 && electronBinary()) {
    rmSync(failureFile, { force: true })
    say(`  Electron fetched ${dim(seconds(tookMs))}`)
    return null
  }
  mkdirSync(dirname(failureFile), { recursive: true })
  writeFileSync(failureFile, JSON.stringify({ version: electronVersion(), atMs: Date.now() }))
  return exit.isTimedOut ? `not done within ${limitMs / 1000} s` : lastError || 'its download failed'
}
