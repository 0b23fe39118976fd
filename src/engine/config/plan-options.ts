import { AppError, fail, ok, type Result } from '../../base/index.ts'
import { type PlanOptions } from '../../contract/index.ts'
import { checkTree } from './check.ts'
import { nearest } from './nearest.ts'
import { configFileSchema } from './schema.ts'
import { planOptionsOf } from './services.ts'
import { settings } from './settings.ts'
import { plainOf } from './tree.ts'
import { readFlags } from './variables.ts'

const section = 'deploy.'

/** What can be written in one word; steps and hooks are lists of sections. */
const keys = settings
  .filter(({ path, reads }) => path.startsWith(section) && reads !== 'none')
  .map(({ path }) => path.slice(section.length))

/**
 * Options of one deployment, written as under `deploy:` in a config: `limits.maxErrorRatio` with `2%`, `maxTime` with
 * `2h`. BAD_INPUT with every mistake. Whether they make a plan with what is configured below them is for the engine to say.
 */
export function readPlanOptions(
  written: Readonly<Record<string, string>>,
  flag: string,
): Result<PlanOptions> {
  const pairs = Object.entries(written)
  const unknown = pairs
    .map(([key]) => key)
    .filter((key) => !keys.includes(key))
    .map((key) => {
      const meant = nearest(key, keys) ?? keys.find((each) => each.endsWith(`.${key}`))
      return `${key} is not a deployment setting; ${meant ? `did you mean ${meant}?` : `settings: ${keys.join(', ')}`}`
    })
  const known = pairs.filter(([key]) => keys.includes(key))
  const tree = checkTree(
    readFlags(
      known.map(([key, text]) => ({ name: `${flag} ${key}`, path: section + key, text, mayBeNull: true })),
    ),
  )
  const mistakes = [
    ...unknown,
    ...tree.problems.map(
      ({ path, message, hint }) => `${path.slice(section.length)}: ${message}${hint && ` (${hint})`}`,
    ),
  ]
  if (mistakes.length > 0)
    return fail(new AppError('BAD_INPUT', mistakes.join('; '), { details: { mistakes } }))
  return ok(planOptionsOf(configFileSchema.parse(plainOf(tree.root)).deploy))
}
