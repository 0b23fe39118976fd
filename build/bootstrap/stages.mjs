import { existsSync } from 'node:fs'
import { inProject } from './project.mjs'

/**
 * @typedef {object} Stage
 * @property {string} name
 * @property {string} says What it proves, for a person.
 * @property {'check' | 'vitest' | 'playwright'} runner A check counts as one test.
 * @property {readonly (readonly string[])[]} commands Each: a package, and its command if that has another
 *   name; then the arguments.
 * @property {Readonly<Record<string, string>>} [env] Set for its commands.
 * @property {readonly import('./peers.mjs').PeerName[]} peers What it runs against.
 * @property {boolean} [needsBundle] It runs what ships.
 * @property {boolean} [needsElectron] It runs on Electron's own binary.
 * @property {boolean} [isOnDemand] Only when named.
 */

/** @param {string} project @param {readonly import('./peers.mjs').PeerName[]} peers @param {string} says @returns {Stage} */
const vitest = (project, peers, says) => ({
  name: project,
  says,
  runner: 'vitest',
  commands: [['vitest', 'run', '--project', project]],
  peers,
})

/** @param {string} name @param {string} says @param {...(readonly string[])} commands @returns {Stage} */
const check = (name, says, ...commands) => ({ name, says, runner: 'check', commands, peers: [] })

/** @param {string} name @param {'headless' | 'double' | 'electron'} shell @param {string} says @returns {Stage} */
const browser = (name, shell, says) => ({
  name,
  says,
  runner: 'playwright',
  commands: [['@playwright/test playwright', 'test']],
  env: { PILOTHOUSE_E2E_SHELL: shell },
  peers: ['chromium'],
  needsBundle: true,
})

const ours = ['src', 'electron', 'test', 'build'].filter((directory) => existsSync(inProject(directory)))

/** All stages, in the order in which they run and report. @type {readonly Stage[]} */
export const stages = [
  check('format', 'prettier leaves every file as it is', ['prettier', '--check', '.']),
  check('lint', 'eslint finds nothing', ['eslint', '--max-warnings', '0', '.']),
  check(
    'types',
    'tsc and svelte-check find nothing',
    ['typescript tsc', '-p', '.'],
    ['svelte-check', '--tsconfig', './tsconfig.json', '--fail-on-warnings'],
  ),
  check(
    'rules',
    'the layers hold (dependency-cruiser) and nothing is unused (knip)',
    ['dependency-cruiser', ...ours],
    ['knip', '--no-config-hints'],
  ),
  vitest('unit', [], 'pure decisions'),
  vitest('contract', [], 'one suite over every transport'),
  vitest('sim', [], 'deployments under chance: a virtual clock, seeded faults, engines killed anywhere'),
  {
    ...vitest(
      'ports',
      ['promtool', 'node-exporter', 'postgresql', 'redis'],
      'every adapter against the real thing',
    ),
    // Some of them kill the whole headless host, screens included.
    needsBundle: true,
  },
  browser('e2e', 'headless', "the built app's headless host in a real browser"),
  browser(
    'shell',
    'double',
    'the built desktop shell on a double of Electron, its windows in a real browser',
  ),
  {
    ...browser('electron', 'electron', "the same end-to-end specs on Electron's own binary"),
    peers: [],
    needsElectron: true,
    isOnDemand: true,
  },
]
