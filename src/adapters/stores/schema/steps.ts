import { AppError } from '../../../base/index.ts'

/** One step of a database's schema. Once released it never changes; what comes after is a new step. */
export interface SchemaStep<Up> {
  /** Rises from step to step, with room between them for a correction. */
  version: number
  name: string
  up: Up
}

interface Applied {
  version: number
  name?: string
}

/** Throws when steps are not in rising order: a defect of this program. */
export function checkOrder(steps: readonly SchemaStep<unknown>[]): void {
  for (const [index, { version, name }] of steps.entries()) {
    const before = steps[index - 1]?.version ?? 0
    if (!Number.isInteger(version) || version <= before) {
      throw new Error(`migration ${version} ${name} must have a whole number above ${before}`)
    }
  }
}

/**
 * The steps that a database with those `applied` lacks, in order. Throws STORE_TOO_NEW when it has one that this
 * program does not know.
 */
export function pendingSteps<Step extends SchemaStep<unknown>>(
  steps: readonly Step[],
  applied: readonly Applied[],
  file: string,
): Step[] {
  checkOrder(steps)
  const unknown = applied.find((done) => !steps.some(({ version }) => version === done.version))
  if (unknown) {
    const known = steps.at(-1)?.version ?? 0
    const name = unknown.name === undefined ? '' : ` (${unknown.name})`
    throw new AppError(
      'STORE_TOO_NEW',
      `${file} has schema step ${unknown.version}${name}; this Pilothouse knows up to ${known}.`,
      { details: { file, found: unknown.version, known } },
    )
  }
  return steps.filter(({ version }) => !applied.some((done) => done.version === version))
}
