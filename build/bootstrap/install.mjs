import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, sep } from 'node:path'
import { readTextIfThere } from './files.mjs'
import { bundledNode } from './find-node.mjs'
import { explainInstallFailure, installDecision, isComplete, lockStamp } from './lock.mjs'
import { majorOf, neededNodeMajor } from './node-choice.mjs'
import { inProject, root } from './project.mjs'
import { bold, dim, phase, red, say, seconds } from './terminal.mjs'

const modules = inProject('node_modules')
const stampFile = join(modules, '.pilothouse-lock')

/**
 * Makes node_modules fit package-lock.json, with `npm ci` where it does not.
 * @param {import('./children.mjs').Children} children
 * @returns {Promise<boolean>} False when it could not; the reason has been printed.
 */
export async function ensureInstalled(children) {
  const facts = gatherFacts()
  const decision = installDecision(facts)
  if (decision === 'current' || decision === 'link') return true
  if (decision === 'adopt') {
    writeFileSync(stampFile, lockStamp(facts))
    return true
  }
  say(
    bold(
      existsSync(modules)
        ? 'The dependencies have changed.'
        : 'First start: installing what Pilothouse needs.',
    ),
  )
  rmSync(stampFile, { force: true })
  stepAside()

  const { node, ...npmCall } = npm()
  const first = await clean(children, 'Installing packages', npmCall)
  if (first.code !== 0) return explain(children, first)
  if (!isComplete(gatherFacts())) {
    const newer = npmCall.args.length > 0 ? borrowNode() : null
    // The Node it came with is too old for some of the packages: once more with the one just installed.
    if (newer) {
      const again = { ...npmCall, command: newer }
      const second = await clean(children, `Installing what needs a newer Node than ${node}`, again)
      rmSync(newer, { force: true })
      if (second.code !== 0) return explain(children, second)
    }
  }
  writeFileSync(stampFile, lockStamp(gatherFacts()))
  return true
}

/**
 * @typedef {import('./children.mjs').Exit & { lines: string[] }} Install
 * @param {import('./children.mjs').Children} children
 * @param {string} title
 * @param {{ command: string, args: string[], isShell: boolean }} npmCall
 * @returns {Promise<Install>}
 */
async function clean(children, title, { command, args, isShell }) {
  const running = phase(title)
  /** @type {string[]} */
  const lines = []
  let fetched = 0
  const exit = await children.run(
    command,
    [...args, 'ci', '--include=dev', '--include=optional', '--loglevel=http', '--no-audit', '--no-fund'],
    {
      cwd: root,
      isShell,
      onLine: (line) => {
        if (!/^npm (warn|http)/i.test(line)) lines.push(line)
        else if (/http (fetch|cache) .*\.tgz/.test(line)) running.note(`${(fetched += 1)} fetched`)
      },
    },
  )
  const tookMs = running.end()
  if (exit.code === 0) say(`  Packages installed ${dim(seconds(tookMs))}`)
  return { ...exit, lines }
}

/**
 * @param {import('./children.mjs').Children} children
 * @param {Install} failed
 * @returns {false}
 */
function explain(children, { failure, lines }) {
  if (children.isStopping) return false
  say(red('The packages could not be installed.'))
  if (failure) {
    say(`  npm could not be started (${failure.message}). Is it installed and on the PATH?`)
    return false
  }
  for (const line of tellingLines(lines)) say(`  ${dim(line)}`)
  const help = explainInstallFailure(lines)
  if (help) say(`  ${bold(help)}`)
  return false
}

/**
 * A copy of the Node that was just installed, out of the way of `npm ci`.
 * @returns {string | null} Its path; null when it is not newer than the one that runs npm.
 */
function borrowNode() {
  const installed = bundledNode()
  if (!installed || majorOf(process.versions.node) >= neededNodeMajor) return null
  const copy = inProject('.pilothouse', process.platform === 'win32' ? 'newer-node.exe' : 'newer-node')
  mkdirSync(dirname(copy), { recursive: true })
  copyFileSync(installed, copy)
  return copy
}

/**
 * The lines worth reading of a failed `npm ci`: it says the reason first, then its whole usage.
 * @param {readonly string[]} lines
 */
function tellingLines(lines) {
  const telling = lines.filter((line) => line.replace(/^npm (error|ERR!)/, '').trim() !== '')
  const errors = telling.filter((line) => /^npm (error|ERR!)/.test(line))
  const usage = errors.findIndex((line) => /Clean install a project/.test(line))
  return errors.length > 0 ? errors.slice(0, usage === -1 ? 12 : Math.min(usage, 12)) : telling.slice(-12)
}

/** @returns {import('./lock.mjs').InstallFacts} */
function gatherFacts() {
  return {
    lockText: readFileSync(inProject('package-lock.json'), 'utf8'),
    installedLockText: readTextIfThere(join(modules, '.package-lock.json')),
    stampText: readTextIfThere(stampFile),
    isLink: lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink() ?? false,
    platform: process.platform,
    arch: process.arch,
    libc: libc(),
  }
}

function libc() {
  if (process.platform !== 'linux') return null
  const report = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (process.report.getReport())
  return report.header.glibcVersionRuntime === undefined ? 'musl' : 'glibc'
}

/** The npm that runs us, or the one on the PATH; `node` names the version of Node it runs on, as far as we know. */
function npm() {
  const { npm_execpath: script, npm_node_execpath: own } = process.env
  if (script && basename(script) === 'npm-cli.js' && existsSync(script)) {
    const command = own && existsSync(own) ? own : process.execPath
    return { command, args: [script], isShell: false, node: process.versions.node }
  }
  return { command: 'npm', args: [], isShell: process.platform === 'win32', node: process.versions.node }
}

/**
 * Windows cannot delete a program that runs, but it can move it: so the Node of node_modules leaves the way of
 * `npm ci` when it is the one running us.
 */
function stepAside() {
  const aside = inProject('.pilothouse', 'previous-node.exe')
  if (process.platform !== 'win32' || !process.execPath.startsWith(modules + sep)) return
  mkdirSync(dirname(aside), { recursive: true })
  rmSync(aside, { force: true })
  renameSync(process.execPath, aside)
}
