import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, sep } from 'node:path'
import { readTextIfThere } from './files.mjs'
import { explainInstallFailure, installDecision, lockStamp } from './lock.mjs'
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

  const running = phase('Installing packages')
  /** @type {string[]} */
  const lines = []
  let fetched = 0
  const { command, args, isShell } = npm()
  const exit = await children.run(
    command,
    [...args, 'ci', '--include=dev', '--include=optional', '--loglevel=http', '--no-audit', '--no-fund'],
    {
      cwd: root,
      isShell,
      onLine: (line) => {
        if (/^npm (warn|http)/i.test(line)) {
          if (/http (fetch|cache) .*\.tgz/.test(line)) running.note(`${(fetched += 1)} fetched`)
          return
        }
        lines.push(line)
      },
    },
  )
  const tookMs = running.end()
  if (children.isStopping) return false
  if (exit.code === 0) {
    writeFileSync(stampFile, lockStamp(facts))
    say(`  Packages installed ${dim(seconds(tookMs))}`)
    return true
  }
  say(red('The packages could not be installed.'))
  if (exit.failure) {
    say(`  npm could not be started (${exit.failure.message}). Is it installed and on the PATH?`)
    return false
  }
  for (const line of tellingLines(lines)) say(`  ${dim(line)}`)
  const help = explainInstallFailure(lines)
  if (help) say(`  ${bold(help)}`)
  return false
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
  }
}

/** The npm that runs us, or the one on the PATH. */
function npm() {
  const { npm_execpath: script, npm_node_execpath: node } = process.env
  if (script && basename(script) === 'npm-cli.js' && existsSync(script)) {
    return { command: node && existsSync(node) ? node : process.execPath, args: [script], isShell: false }
  }
  return { command: 'npm', args: [], isShell: process.platform === 'win32' }
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
