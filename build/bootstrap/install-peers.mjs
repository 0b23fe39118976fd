import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { readTextIfThere } from './files.mjs'
import { findPeer, peers, planPeers } from './peers.mjs'
import { root } from './project.mjs'
import { dim, phase, say, seconds, yellow } from './terminal.mjs'
import { toolScript } from './tools.mjs'

const browserLimitMs = 10 * 60 * 1000

/**
 * Gets the peers that are missing, as far as this machine lets us. What is still missing afterwards is for the
 * tests to skip or to fail on.
 * @param {import('./children.mjs').Children} children
 * @param {string} node
 * @param {readonly import('./peers.mjs').PeerName[]} wanted
 */
export async function ensurePeers(children, node, wanted) {
  const missing = wanted.filter((name) => !findPeer(name))
  if (missing.length === 0) return
  const plan = planPeers(missing, {
    platform: process.platform,
    isRoot: process.getuid?.() === 0,
    distribution: distribution(),
  })
  if (plan.apt.length > 0) await installPackages(children, plan.apt)
  if (plan.isBrowserFetched) await fetchBrowser(children, node)
  for (const name of plan.byHand) {
    say(yellow(`  ${name} is missing (${peers[name].purpose}); Debian's package: ${peers[name].package}`))
  }
}

function distribution() {
  const text = process.platform === 'linux' ? readTextIfThere('/etc/os-release') : null
  return /^ID="?([a-z]+)/m.exec(text ?? '')?.[1] ?? null
}

/** @param {import('./children.mjs').Children} children @param {string[]} names */
async function installPackages(children, names) {
  const apt = ['-q', '-y', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Acquire::Retries=2']
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  await withoutStartingServices(async () => {
    await step(children, 'Reading the package lists', 'apt-get', [...apt, 'update'], { env })
    await step(
      children,
      `Installing ${names.join(', ')}`,
      'apt-get',
      [...apt, 'install', '--no-install-recommends', ...names],
      { env },
    )
  })
  // Debian also enables them for the next boot; the tests start their own.
  if (!existsSync('/run/systemd/system')) return
  const services = names.filter((name) => name !== 'chromium')
  await children.run('systemctl', ['disable', '--quiet', ...services], { onLine: () => {} })
}

/**
 * Debian starts a server as soon as it is installed, unless this file says no.
 * @param {() => Promise<void>} install
 */
async function withoutStartingServices(install) {
  const policy = '/usr/sbin/policy-rc.d'
  const isOurs = !existsSync(policy)
  if (isOurs) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    await install()
  } finally {
    if (isOurs) rmSync(policy, { force: true })
  }
}

/** @param {import('./children.mjs').Children} children @param {string} node */
async function fetchBrowser(children, node) {
  const cli = toolScript('@playwright/test', 'playwright')
  const withSystemLibraries = process.platform === 'linux' && process.getuid?.() === 0 ? ['--with-deps'] : []
  await step(
    children,
    "Fetching Playwright's Chromium",
    node,
    [cli, 'install', ...withSystemLibraries, 'chromium'],
    {
      limitMs: browserLimitMs,
    },
  )
}

/**
 * @param {import('./children.mjs').Children} children
 * @param {string} title
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, limitMs?: number }} options
 */
async function step(children, title, command, args, options) {
  if (children.isStopping) return
  const running = phase(title)
  /** @type {string[]} */
  const lines = []
  const exit = await children.run(command, args, {
    cwd: root,
    onLine: (line) => lines.push(line),
    ...options,
  })
  const tookMs = running.end()
  if (children.isStopping) return
  if (exit.code === 0) return say(`  ${title} ${dim(seconds(tookMs))}`)
  say(yellow(`  ${title}: failed${exit.isTimedOut ? ', it took too long' : ''}`))
  for (const line of lines.filter((line) => line.trim()).slice(-6)) say(`    ${dim(line)}`)
}
