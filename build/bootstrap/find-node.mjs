import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { chooseNode } from './node-choice.mjs'
import { inProject } from './project.mjs'
import { red, say } from './terminal.mjs'

/**
 * The Node that runs the project: the one the registry put into node_modules, else the running one.
 * @returns {string | null} Its path; null when there is none new enough, and that has been printed.
 */
export function findNode() {
  const bundled = bundledNode()
  const choice = chooseNode({
    bundled,
    bundledVersion: bundled && versionOf(bundled),
    running: process.execPath,
    runningVersion: process.versions.node,
  })
  if ('node' in choice) return choice.node
  say(red(choice.problem))
  return null
}

/** @returns {string | null} The Node that came with node_modules; null when there is none for this machine. */
export function bundledNode() {
  const executable = process.platform === 'win32' ? 'node.exe' : 'node'
  // `.bin/node` is a script on Windows, so the package itself is asked; its name differs on one system.
  const places = ['node', 'node-bin'].map((prefix) =>
    inProject('node_modules', `${prefix}-${systemName()}-${process.arch}`, 'bin', executable),
  )
  return places.find((place) => existsSync(place)) ?? null
}

const systemName = () => (process.platform === 'win32' ? 'win' : process.platform)

/** @param {string} node @returns {string | null} Null when it does not run here, for example for another C library. */
function versionOf(node) {
  const { status, stdout } = spawnSync(node, ['--version'], { encoding: 'utf8', windowsHide: true })
  return status === 0 ? stdout.trim() : null
}

/**
 * The environment for the project's own processes: `node` on their PATH is the chosen one, and nothing inherited
 * from an editor's terminal turns Electron into Node.
 * @param {string} node
 */
export function projectEnvironment(node) {
  const env = { ...process.env }
  delete env.ELECTRON_RUN_AS_NODE
  const key = Object.keys(env).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH'
  env[key] = [join(node, '..'), inProject('node_modules', '.bin'), env[key]]
    .filter(Boolean)
    .join(process.platform === 'win32' ? ';' : ':')
  return env
}
