// `npm start`. Runs before anything is installed, on Node 18 or newer: no dependency, no TypeScript.
import { existsSync } from 'node:fs'
import { Children } from './bootstrap/children.mjs'
import { ensureBuilt, headlessEntry } from './bootstrap/bundle.mjs'
import { electronBinary, electronVersion, fetchElectron, rememberedFailure } from './bootstrap/electron.mjs'
import { findNode, projectEnvironment } from './bootstrap/find-node.mjs'
import { ensureInstalled } from './bootstrap/install.mjs'
import { Interrupts } from './bootstrap/interrupt.mjs'
import { inProject, root } from './bootstrap/project.mjs'
import { chooseShell } from './bootstrap/shell-choice.mjs'
import { parseStartArguments, serveArguments, startHelp } from './bootstrap/start-arguments.mjs'
import { dim, red, say } from './bootstrap/terminal.mjs'

/** How long the app has to end by itself after Ctrl-C. */
const graceMs = 8000
/** A desktop that fails this early did not get a window up. */
const earlyMs = 10_000
/** How long a start waits for Electron's binary, unless it is told to wait for as long as it takes. */
const fetchLimitMs = 15_000

const children = new Children()
new Interrupts({ onStop: () => children.stop(graceMs), onKill: () => children.kill() }).listen()

const { wanted, isHelp, isDemo, rest } = parseStartArguments(process.argv.slice(2))
if (isHelp) say(startHelp)
else process.exitCode = await main()

/** @returns {Promise<number>} The exit code: 0 after Ctrl-C, else the app's own. */
async function main() {
  if (!(await ensureInstalled(children))) return children.isStopping ? 0 : 1
  const node = findNode()
  if (!node) return 1
  if (!(await ensureBuilt(children, node))) return children.isStopping ? 0 : 1
  if (await isDesktopChosen(node)) {
    const startedAt = performance.now()
    const code = await run(/** @type {string} */ (electronBinary()), [root, ...rest], node)
    if (code === 0 || performance.now() - startedAt > earlyMs) return code
    say(`The desktop app ended at once with code ${code}: opening the headless app.`)
  }
  if (children.isStopping) return 0
  if (isDemo) return run(node, [inProject(headlessEntry), 'demo', ...rest], node)
  const hasConfigFile = ['yaml', 'yml', 'json'].some((ending) => existsSync(`pilothouse.${ending}`))
  return run(
    node,
    [inProject(headlessEntry), ...serveArguments(rest, { env: process.env, hasConfigFile })],
    node,
  )
}

/**
 * @param {string} node
 * @returns {Promise<boolean>} True when Electron's binary is there and can show a window.
 */
async function isDesktopChosen(node) {
  const isFetchForced = Boolean(process.env.PILOTHOUSE_FETCH_ELECTRON)
  const choice = chooseShell({
    wanted,
    platform: process.platform,
    isRoot: process.getuid?.() === 0,
    hasDisplay: Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY),
    isBuilt: existsSync(inProject('dist', 'electron', 'main.js')),
    hasElectron: electronBinary() !== null,
    failure: rememberedFailure(),
    electronVersion: electronVersion(),
    isFetchForced: isFetchForced || wanted === 'desktop',
    nowMs: Date.now(),
  })
  if (choice.open === 'fetch') {
    const why = await fetchElectron(children, node, { limitMs: isFetchForced ? Infinity : fetchLimitMs })
    if (why === null) return true
    if (!children.isStopping) say(`Electron cannot be fetched (${why}): opening the headless app.`)
    return false
  }
  if (choice.open === 'headless' && choice.because) say(dim(`Opening the headless app: ${choice.because}.`))
  return choice.open === 'desktop'
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {string} node
 */
async function run(command, args, node) {
  const exit = await children.run(command, args, { env: projectEnvironment(node) })
  if (children.isStopping) return 0
  if (exit.failure) say(red(`${command} could not be started: ${exit.failure.message}`))
  return exit.code ?? 1
}
