// `npm test`. Runs before anything is installed, on Node 18 or newer: no dependency, no TypeScript.
import { hasBrowser } from './bootstrap/browser.mjs'
import { ensureBuilt } from './bootstrap/bundle.mjs'
import { Children } from './bootstrap/children.mjs'
import { electronBinary, fetchElectron } from './bootstrap/electron.mjs'
import { findNode } from './bootstrap/find-node.mjs'
import { ensureInstalled } from './bootstrap/install.mjs'
import { ensurePeers } from './bootstrap/install-peers.mjs'
import { Interrupts } from './bootstrap/interrupt.mjs'
import { addCounts, exitCodeOf, summaryLine } from './bootstrap/reports.mjs'
import { runStage } from './bootstrap/run-stage.mjs'
import { stages } from './bootstrap/stages.mjs'
import { bold, dim, green, phase, red, say, seconds, yellow } from './bootstrap/terminal.mjs'
import { chooseStages, parseTestArguments, testHelp } from './bootstrap/test-arguments.mjs'

/** @typedef {import('./bootstrap/run-stage.mjs').StageResult} StageResult */

const interrupted = 130
/** How long Electron's binary may take to arrive: where it has to, and where it would be nice. */
const [patientFetchMs, briefFetchMs] = [10 * 60_000, 60_000]
const children = new Children()
/** @type {Promise<boolean> | undefined} */
let build
new Interrupts({ onStop: () => children.stop(3000), onKill: () => children.kill() }).listen()

const wanted = parseTestArguments(
  process.argv.slice(2),
  stages.map(({ name }) => name),
)
if ('problem' in wanted) {
  say(wanted.problem)
  process.exitCode = 2
} else if (wanted.isHelp) say(testHelp)
else if (wanted.isList) for (const { name, says } of stages) say(`${name.padEnd(9)} ${says}`)
else process.exitCode = await main(wanted)

/** @param {import('./bootstrap/test-arguments.mjs').TestArguments} wanted @returns {Promise<number>} */
async function main(wanted) {
  const chosen = chooseStages(stages, wanted)
  const results = await runAll(chosen, wanted)
  if (children.isStopping) return interrupted
  const total = addCounts(results.map(({ counts }) => counts))
  say('')
  say(summaryLine(total))
  const isNothingPossible = results.length > 0 && results.every(({ isSkipped }) => isSkipped)
  return isNothingPossible ? 0 : exitCodeOf(total)
}

/**
 * @param {import('./bootstrap/stages.mjs').Stage[]} chosen
 * @param {import('./bootstrap/test-arguments.mjs').TestArguments} wanted
 * @returns {Promise<StageResult[]>}
 */
async function runAll(chosen, { paths, isVerbose }) {
  if (!(await ensureInstalled(children))) return [notRun('install', 'failed')]
  const node = findNode()
  if (!node) return [notRun('node', 'failed')]
  await ensurePeers(children, node, [...new Set(chosen.flatMap(({ peers }) => peers))])

  /** @type {StageResult[]} */
  const results = []
  /** @param {import('./bootstrap/stages.mjs').Stage} stage */
  const run = async (stage) => {
    const result = await runStage(children, node, stage, { paths, ...(isVerbose ? { onLine: say } : {}) })
    results.push(result)
    if (!children.isStopping) report(result, isVerbose)
  }

  // The checks read files and use one core each; tests use the whole machine and may be sensitive to it.
  await inPairs(
    chosen.filter(({ runner }) => runner === 'check'),
    run,
  )
  for (const stage of chosen.filter(({ runner }) => runner !== 'check')) {
    if (children.isStopping) break
    const obstacle = await obstacleTo(stage, node)
    if (obstacle) {
      results.push(notRun(stage.name, obstacle.outcome))
      if (!children.isStopping) say(`${red(obstacle.outcome)} ${stage.name}: ${obstacle.reason}`)
      continue
    }
    const running = phase(stage.name)
    await run(stage).finally(() => running.end())
  }
  return results
}

/** @param {string} name @param {'failed' | 'skipped'} outcome @returns {StageResult} */
function notRun(name, outcome) {
  const counts = { passed: 0, failed: 0, skipped: 0, [outcome]: 1 }
  return { name, counts, tookMs: 0, lines: [], skipReasons: [], isSkipped: outcome === 'skipped' }
}

/**
 * What keeps a whole stage from running.
 * @param {import('./bootstrap/stages.mjs').Stage} stage
 * @param {string} node
 * @returns {Promise<{ outcome: 'failed' | 'skipped', reason: string } | null>}
 */
async function obstacleTo(stage, node) {
  const isCi = process.env.CI === 'true'
  const missing = isCi ? 'failed' : 'skipped'
  if (stage.peers.includes('chromium') && !(await hasBrowser(children, node))) {
    return { outcome: missing, reason: 'there is no Chromium here' }
  }
  if (stage.needsElectron && !electronBinary()) {
    const why = await fetchElectron(children, node, { limitMs: isCi ? patientFetchMs : briefFetchMs })
    if (why !== null) return { outcome: missing, reason: `Electron's own binary cannot be fetched (${why})` }
  }
  // One build serves all stages; a broken one is told of once.
  if (stage.needsBundle && !(await (build ??= ensureBuilt(children, node)))) {
    return { outcome: 'failed', reason: 'the build failed' }
  }
  return null
}

/**
 * Runs two stages at a time.
 * @param {import('./bootstrap/stages.mjs').Stage[]} chosen
 * @param {(stage: import('./bootstrap/stages.mjs').Stage) => Promise<void>} run
 */
async function inPairs(chosen, run) {
  if (chosen.length === 0) return
  const running = phase(chosen.map(({ name }) => name).join(', '))
  const queue = [...chosen]
  const lane = async () => {
    for (let stage = queue.shift(); stage && !children.isStopping; stage = queue.shift()) await run(stage)
  }
  await Promise.all([lane(), lane()])
  running.end()
}

/** @param {StageResult} result @param {boolean} isVerbose */
function report({ name, counts, tookMs, lines, skipReasons }, isVerbose) {
  if (counts.failed > 0 && !isVerbose) {
    say(red(bold(`--- ${name} ---`)))
    for (const line of lines) say(line)
    say(red(bold(`--- end of ${name} ---`)))
  }
  const mark = counts.failed > 0 ? red('FAIL') : green('ok  ')
  say(`${mark} ${name.padEnd(9)} ${summaryLine(counts)} ${dim(seconds(tookMs))}`)
  for (const reason of skipReasons) say(yellow(`     skipped: ${reason}`))
}
