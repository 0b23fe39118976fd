import type { Bin } from './deployments.ts'

type Requests = Pick<Bin, 'requests' | 'diverted'>

/** Requests whose outcome is the release's: the ones it ended, and the ones another release had to serve in its place. */
export const decided = ({ requests, diverted }: Requests): number => requests + diverted

/** Of `decided`, the ones the release failed to serve. */
export const failures = ({ errors, diverted }: Pick<Bin, 'errors' | 'diverted'>): number => errors + diverted

/** All requests that were meant for the release and are over, abandoned ones included. */
export const attempts = (counts: Requests & Pick<Bin, 'abandoned'>): number =>
  decided(counts) + counts.abandoned

/** Requests that ended at the release, abandoned ones included. A diverted one ended at the release that served it. */
export const received = ({ requests, abandoned }: Pick<Bin, 'requests' | 'abandoned'>): number =>
  requests + abandoned

/** Share of decided requests that failed, 0 to 1; null without any. What a table, a chart and a judge call the error ratio. */
export const errorRatio = (counts: Requests & Pick<Bin, 'errors'>): number | null =>
  decided(counts) > 0 ? failures(counts) / decided(counts) : null

/** Share of requests whose client left without a response, 0 to 1; null without any. */
export const abandonedRatio = (counts: Requests & Pick<Bin, 'abandoned'>): number | null =>
  attempts(counts) > 0 ? counts.abandoned / attempts(counts) : null
