export const testHelp = `npm test -- [options] [path ...]

  --only a,b    run only these stages
  --list        list the stages
  --verbose     show everything the stages print
  --help        show this

A path below test/ (or a part of one) chooses the test files; without --only the checks are then left out.`

/**
 * @typedef {{ only: string[] | null, paths: string[], isList: boolean, isHelp: boolean, isVerbose: boolean }} TestArguments
 */

/**
 * @param {readonly string[]} args What follows `npm test --`.
 * @param {readonly string[]} stages Names of all stages.
 * @returns {TestArguments | { problem: string }}
 */
export function parseTestArguments(args, stages) {
  /** @type {TestArguments} */
  const parsed = { only: null, paths: [], isList: false, isHelp: false, isVerbose: false }
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? ''
    if (arg === '--') continue
    else if (arg === '--list') parsed.isList = true
    else if (arg === '--help' || arg === '-h') parsed.isHelp = true
    else if (arg === '--verbose') parsed.isVerbose = true
    else if (arg === '--only' || arg.startsWith('--only=')) {
      const value = arg === '--only' ? (args[(at += 1)] ?? '') : arg.slice('--only='.length)
      const names = value.split(',').filter(Boolean)
      const unknown = names.find((name) => !stages.includes(name))
      if (unknown !== undefined) return { problem: `There is no stage "${unknown}". ${choices(stages)}` }
      if (names.length === 0) return { problem: `--only needs names of stages. ${choices(stages)}` }
      parsed.only = [...(parsed.only ?? []), ...names]
    } else if (arg.startsWith('-')) return { problem: `Unknown option ${arg}.\n\n${testHelp}` }
    else parsed.paths.push(arg)
  }
  return parsed
}

/** @param {readonly string[]} stages */
const choices = (stages) => `The stages are ${stages.join(', ')}.`

/**
 * Which stages run, in the given order.
 * @template {{ name: string, runner: 'check' | 'vitest' | 'playwright', isOnDemand?: boolean }} Stage
 * @param {readonly Stage[]} stages
 * @param {Pick<TestArguments, 'only' | 'paths'>} wanted
 * @returns {Stage[]}
 */
export function chooseStages(stages, { only, paths }) {
  if (only) return stages.filter(({ name }) => only.includes(name))
  const all = stages.filter(({ isOnDemand }) => !isOnDemand)
  if (paths.length === 0) return all
  const tests = all.filter(({ runner }) => runner !== 'check')
  const named = tests.filter(({ name }) => paths.some((path) => isBelow(path, name)))
  return named.length > 0 ? named : tests
}

/** @param {string} path @param {string} stage */
const isBelow = (path, stage) => new RegExp(`(^|[\\\\/])test[\\\\/]${stage}([\\\\/]|$)`).test(path)
