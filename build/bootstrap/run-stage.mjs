import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { readTextIfThere } from './files.mjs'
import { projectEnvironment } from './find-node.mjs'
import { inProject, root } from './project.mjs'
import { playwrightCounts, vitestCounts } from './reports.mjs'
import { colorEnvironment } from './terminal.mjs'
import { toolScript } from './tools.mjs'

/** A line a test prints when it skips for want of a peer starts with this; test/support/peers.ts writes it. */
export const missingPeerPrefix = 'peer missing: '

/**
 * @typedef {object} StageResult
 * @property {string} name
 * @property {import('./reports.mjs').Counts} counts
 * @property {number} tookMs
 * @property {string[]} lines What it printed.
 * @property {string[]} skipReasons Each once.
 * @property {boolean} [isSkipped] The whole stage could not run here, and that is nobody's fault.
 */

/**
 * Runs one stage to its end.
 * @param {import('./children.mjs').Children} children
 * @param {string} node
 * @param {import('./stages.mjs').Stage} stage
 * @param {{ paths: readonly string[], onLine?: (line: string) => void }} options `paths` choose test files.
 * @returns {Promise<StageResult>}
 */
export async function runStage(children, node, stage, { paths, onLine }) {
  const startedAt = performance.now()
  const report = inProject('test-results', `${stage.name}.json`)
  mkdirSync(dirname(report), { recursive: true })
  rmSync(report, { force: true })
  // Written as it comes: of a run that is cut off, this is what is left.
  const log = openSync(inProject('test-results', `${stage.name}.log`), 'w')
  /** @type {string[]} */
  const lines = []
  /** @param {string} line */
  const note = (line) => {
    lines.push(line)
    writeSync(log, `${line}\n`)
    onLine?.(line)
  }
  let exitCode = 0
  for (const [tool = '', ...args] of stage.commands) {
    const [packageName = '', command] = tool.split(' ')
    const exit = await children.run(
      node,
      [toolScript(packageName, command), ...args, ...runnerArguments(stage.runner, report, paths)],
      {
        cwd: root,
        env: {
          ...projectEnvironment(node),
          ...colorEnvironment(),
          ...stage.env,
          PLAYWRIGHT_JSON_OUTPUT_FILE: report,
        },
        onLine: note,
      },
    )
    if (exit.failure) note(exit.failure.message)
    if (exit.code !== 0) exitCode = exit.code ?? 1
  }
  const counts = count(stage.runner, readTextIfThere(report), exitCode)
  // Tests that are not found cannot fail: as bad as a failure, unless a path asked for others.
  if (
    stage.runner !== 'check' &&
    paths.length === 0 &&
    counts.passed + counts.failed + counts.skipped === 0
  ) {
    counts.failed = 1
    note(`No tests were found for the stage ${stage.name}.`)
  }
  closeSync(log)
  return {
    name: stage.name,
    counts,
    tookMs: performance.now() - startedAt,
    lines,
    skipReasons: [...new Set(lines.flatMap(skipReason))],
  }
}

/** @param {import('./stages.mjs').Stage['runner']} runner @param {string} report @param {readonly string[]} paths */
function runnerArguments(runner, report, paths) {
  switch (runner) {
    case 'check':
      return []
    case 'vitest':
      return [
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${report}`,
        '--passWithNoTests',
        ...paths,
      ]
    case 'playwright':
      return ['--reporter=list,json', '--pass-with-no-tests', ...paths]
  }
}

/**
 * @param {import('./stages.mjs').Stage['runner']} runner @param {string | null} report @param {number} exitCode
 * @returns {import('./reports.mjs').Counts}
 */
function count(runner, report, exitCode) {
  if (runner === 'vitest') return vitestCounts(report, exitCode)
  if (runner === 'playwright') return playwrightCounts(report, exitCode)
  return exitCode === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 }
}

/** @param {string} line */
function skipReason(line) {
  const at = line.indexOf(missingPeerPrefix)
  return at === -1 ? [] : [line.slice(at + missingPeerPrefix.length).trim()]
}
