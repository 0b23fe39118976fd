import { describe, expect, it } from 'vitest'
import type { Bin } from '../../../../src/contract/index.ts'
import { eventTexts } from '../../../../src/renderer/screens/deployments/bin-events.ts'
import { uneventful } from '../../../support/uneventful.ts'

const bin = (releaseId: string, change: Partial<Bin> = {}): Bin => ({
  atMs: 0,
  durationMs: 1000,
  releaseId,
  requests: 100,
  errors: 0,
  ...uneventful,
  timeouts: 0,
  inFlight: 0,
  oldestInFlightMs: 0,
  latencyCounts: [],
  ...change,
})
const releases = { stableReleaseId: 'r1', candidateReleaseId: 'r2' }

describe('what no error ratio shows', () => {
  it('is told of each release that has any, the candidate first', () => {
    const bins = [
      bin('r1', { abandoned: 1 }),
      bin('r2', { abandoned: 40, crashes: 2, oomKills: 1 }),
      bin('r2', { abandoned: 7, diverted: 20, crashes: 1, healthFailures: 2 }),
    ]
    expect(eventTexts(bins, releases)).toEqual([
      'r2: clients gave up on 47 requests, r1 answered 20 requests instead, instances failed 3 times',
      'r1: clients gave up on 1 request',
    ])
  })

  it('is nothing where all is well, and needs no stable release', () => {
    expect(eventTexts([bin('r1'), bin('r2')], releases)).toEqual([])
    expect(eventTexts([bin('r2', { crashes: 1 })], { ...releases, stableReleaseId: null })).toEqual([
      'r2: instances failed once',
    ])
  })
})
