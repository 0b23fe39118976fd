import { existsSync } from 'node:fs'
import { inProject } from './project.mjs'

/**
 * @typedef {object} Stage
 * @property {string} name
 * @property {string} says What it proves, for a person.
 * @property {'check' | 'vitest' | 'playwright'} runner A check counts as one test.
 * @property {readonly (readonly string[])[]} commands Each: a script below node_modules, then its arguments.
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
  commands: [['vitest/vitest.mjs', 'run', '--project', project]],
  peers,
})

/** @param {string} name @param {string} says @param {...(readonly string[])} commands @returns {Stage} */
const check = (name, says, ...commands) => ({ name, says, runner: 'check', commands, peers: [] })

const ours = ['src', 'electron', 'test', 'build'].filter((directory) => existsSync(inProject(directory)))

/** All stages, in the order in which they run and report. @type {readonly Stage[]} */
export const stages = [
  check('format', 'prettier leaves every file as it is', ['prettier/bin/prettier.cjs', '--check', '.']),
  check('lint', 'eslint finds nothing', ['eslint/bin/eslint.js', '--max-warnings', '0', '.']),
  check(
    'types',
    'tsc and svelte-check find nothing',
    ['typescript/bin/tsc', '-p', '.'],
    ['svelte-check/bin/svelte-check', '--tsconfig', './tsconfig.json', '--fail-on-warnings'],
  ),
  check(
    'rules',
    'the layers hold (dependency-cruiser) and nothing is unused (knip)',
    ['dependency-cruiser/bin/dependency-cruise.mjs', ...ours],
    ['knip/bin/knip.js', '--no-config-hints'],
  ),
  vitest('unit', [], 'pure decisions'),
  vitest('contract', [], 'one suite over every transport'),
  vitest('ports', ['promtool', 'node-exporter'], 'every adapter against the real thing'),
  {
    name: 'e2e',
    says: 'the built app in a real browser',
    runner: 'playwright',
    commands: [['@playwright/test/cli.js', 'test', '--project', 'headless', '--project', 'shell-double']],
    peers: ['chromium'],
    needsBundle: true,
  },
  {
    name: 'electron',
    says: "the same end-to-end specs on Electron's own binary",
    runner: 'playwright',
    commands: [['@playwright/test/cli.js', 'test', '--project', 'electron']],
    peers: [],
    needsBundle: true,
    needsElectron: true,
    isOnDemand: true,
  },
]
