import { type Sli, ofRelease } from '../../../contract/index.ts'

/** Where a service's record has the figures of all its releases together. */
export const wholeKey = ''

/**
 * The figures of the whole service: its own where the record has them, else those of the release with the most
 * requests, which is what a person would look at; undefined of none.
 */
export function totalSli(sli: Readonly<Record<string, Sli>>): Sli | undefined {
  return (
    ofRelease(sli, wholeKey) ??
    Object.values(sli).toSorted((a, b) => b.requestsPerSecond - a.requestsPerSecond)[0]
  )
}
