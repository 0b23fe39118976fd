import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { readTextIfThere } from './files.mjs'
import { projectEnvironment } from './find-node.mjs'
import { inProject, root } from './project.mjs'
import { bundleSources, fingerprint } from './sources.mjs'
import { colorEnvironment, dim, phase, red, say, seconds } from './terminal.mjs'
import { toolScript } from './tools.mjs'

const stampFile = inProject('dist', '.stamp')

/** The headless host's entry, relative to the project. */
export const headlessEntry = 'dist/node/cli.js'

/**
 * Makes dist fit the sources, with a build where it does not.
 * @param {import('./children.mjs').Children} children
 * @param {string} node The Node to build with.
 * @param {{ isForced?: boolean }} [options]
 * @returns {Promise<boolean>} False when it could not; the reason has been printed.
 */
export async function ensureBuilt(children, node, { isForced = false } = {}) {
  const wanted = fingerprint(root, bundleSources)
  if (!isForced && readTextIfThere(stampFile) === wanted && existsSync(inProject(headlessEntry))) return true
  rmSync(stampFile, { force: true })
  const running = phase('Building')
  /** @type {string[]} */
  const lines = []
  const exit = await children.run(node, [toolScript('vite'), 'build', '--app', '--logLevel', 'warn'], {
    cwd: root,
    env: { ...projectEnvironment(node), ...colorEnvironment() },
    onLine: (line) => lines.push(line),
  })
  const tookMs = running.end()
  if (children.isStopping) return false
  if (exit.code !== 0) {
    say(red('The build failed.'))
    for (const line of lines.slice(-40)) say(`  ${line}`)
    if (exit.failure) say(`  ${exit.failure.message}`)
    return false
  }
  mkdirSync(inProject('dist'), { recursive: true })
  writeFileSync(stampFile, wanted)
  say(`  Built ${dim(seconds(tookMs))}`)
  return true
}
