import type { QualityCounts, Series, SeriesQuality } from '../../../contract/index.ts'

/** What can be wrong with data, in the order of the table. */
export const findings = [
  ['late', 'late'],
  ['stale', 'stale'],
  ['gaps', 'gaps'],
  ['notNumbers', 'not numbers'],
  ['counterResets', 'resets'],
  ['duplicates', 'duplicates'],
  ['outOfOrder', 'out of order'],
  ['clockSkews', 'clock skews'],
  ['unitJumps', 'unit jumps'],
] as const satisfies readonly (readonly [keyof QualityCounts, string])[]

export interface QualityRow extends SeriesQuality {
  /** Name with its labels: `disk.read (vda)`. */
  name: string
  findingCount: number
}

/** Number of everything found, of all kinds. */
const findingCount = (counts: QualityCounts): number => findings.reduce((sum, [key]) => sum + counts[key], 0)

/** Name and labels of a series for a person. */
function seriesTitle({ name, labels }: Series): string {
  const values = Object.values(labels)
  return values.length === 0 ? name : `${name} (${values.join(', ')})`
}

/**
 * One row a series, worst first: what cannot be judged on, what is old, what most was found in. `filter` is words
 * that must occur in the name; `isAll` also shows the series in which nothing was found.
 */
export function qualityRows(
  series: readonly Series[],
  qualities: readonly SeriesQuality[],
  filter: string,
  isAll: boolean,
): QualityRow[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  const age = { stale: 2, late: 1, fresh: 0 }
  return qualities
    .flatMap((quality): QualityRow[] => {
      const own = series[quality.slot]
      return own ? [{ ...quality, name: seriesTitle(own), findingCount: findingCount(quality.counts) }] : []
    })
    .filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)))
    .filter((row) => isAll || !row.canBeJudged || row.freshness !== 'fresh' || row.findingCount > 0)
    .sort(
      (a, b) =>
        Number(a.canBeJudged) - Number(b.canBeJudged) ||
        age[b.freshness] - age[a.freshness] ||
        b.findingCount - a.findingCount ||
        a.slot - b.slot,
    )
}
