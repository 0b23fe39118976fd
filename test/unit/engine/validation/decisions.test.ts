import { describe, expect, it } from 'vitest'
import type { HostState } from '../../../../src/contract/index.ts'
import { addCounts, noCounts, type Counts } from '../../../../src/engine/canary/index.ts'
import { latencyBoundsMs } from '../../../../src/contract/index.ts'
import {
  judgeDataQuality,
  judgeExclusive,
  judgeFreeze,
  judgeHeadroom,
  missingRoom,
  judgeLoad,
  type HostFact,
} from '../../../../src/engine/validation/index.ts'
import { person } from '../../../support/person.ts'

const at = (text: string) => Date.parse(text)

describe('a freeze window', () => {
  const christmas = {
    reason: 'Christmas',
    timeZone: 'Europe/Berlin',
    from: '2026-12-24T18:00',
    to: '2026-12-27T06:00',
  }
  const weekends = {
    reason: 'no weekend deployments',
    timeZone: 'Europe/Berlin',
    cron: '0 16 * * 5',
    durationMs: 64 * 3_600_000,
  }

  it.each([
    ['2026-12-24T16:59:59.999Z', 'passed'],
    ['2026-12-24T17:00:00.000Z', 'failed'],
    ['2026-12-27T04:59:59.999Z', 'failed'],
    ['2026-12-27T05:00:00.000Z', 'passed'],
  ])('holds from its begin to before its end in its own time zone: %s %s', (now, outcome) => {
    expect(judgeFreeze([christmas], at(now)).outcome).toBe(outcome)
  })

  it.each([
    ['2026-11-20T14:59:59.999Z', 'passed'],
    ['2026-11-20T15:00:00.000Z', 'failed'],
    ['2026-11-23T06:59:59.999Z', 'failed'],
    ['2026-11-23T07:00:00.000Z', 'passed'],
    // Summer time: an hour earlier in UTC.
    ['2026-07-03T13:59:59.999Z', 'passed'],
    ['2026-07-03T14:00:00.000Z', 'failed'],
  ])('comes back as its cron pattern says: %s %s', (now, outcome) => {
    expect(judgeFreeze([weekends], at(now)).outcome).toBe(outcome)
  })

  it('says why and until when, and that one which begins anew before it is over never ends', () => {
    expect(judgeFreeze([weekends], at('2026-11-21T10:00:00Z')).text).toBe(
      'Deployments are frozen: no weekend deployments, until 23 Nov 2026, 08:00 (Europe/Berlin).',
    )
    const always = { reason: 'closed', timeZone: 'UTC', cron: '0 * * * *', durationMs: 2 * 3_600_000 }
    expect(judgeFreeze([always], at('2026-11-21T10:30:00Z')).text).toContain('indefinitely')
  })
})

const host = (limits: Partial<HostState['limits'][number]>[], canBeJudged = true): HostFact => ({
  name: 'web-1',
  state: {
    quality: {
      freshness: canBeJudged ? 'fresh' : 'stale',
      canBeJudged,
      reasons: canBeJudged ? [] : ['no reading for 2 min'],
    },
    limits: limits.map((limit) => ({ subject: '', value: 0.97, ...limit })),
  } as unknown as HostState,
})

describe('room on the hosts', () => {
  it('is judged by their configured limits, the worst first', () => {
    expect(judgeHeadroom([host([])]).outcome).toBe('passed')
    expect(judgeHeadroom([host([{ kind: 'temperature', severity: 'critical' }])]).outcome).toBe('passed')
    expect(judgeHeadroom([host([{ kind: 'cpu', severity: 'warning', value: 0.85 }])])).toMatchObject({
      outcome: 'warning',
      text: 'Host resources may be short: CPU use of web-1 is at 85%.',
    })
    expect(
      judgeHeadroom([
        host([
          { kind: 'cpu', severity: 'warning' },
          { kind: 'memory', severity: 'critical' },
        ]),
      ]),
    ).toMatchObject({
      outcome: 'failed',
      text: 'Not enough host resources: memory use of web-1 is at 97%.',
    })
  })

  it('is judged by what the plan allows before that', () => {
    const use = (kind: string, ratio: number | null, subject = '') => ({ kind, subject, ratio })
    const withUse = (...uses: object[]): HostFact => {
      const { name, state } = host([{ kind: 'cpu', severity: 'critical' }])
      return { name, state: { ...state, use: uses } as HostState }
    }
    const limits = { maxCpuRatio: 0.7, maxMemoryRatio: null, maxDiskRatio: 0.8 }
    expect(
      judgeHeadroom(
        [withUse(use('cpu', 0.704), use('memory', 0.99), use('disk', 0.7, '/'), use('disk', 0.93, '/var'))],
        limits,
      ),
    ).toMatchObject({
      outcome: 'failed',
      text: 'Not enough host resources: CPU use of web-1 is at 70.4%, limit 70% (deploy.resources.maxCpuRatio); disk /var of web-1 is at 93%, limit 80% (deploy.resources.maxDiskRatio).',
    })
    const within = [withUse(use('cpu', 0.7), use('disk', 0.1, '/'))]
    expect(judgeHeadroom(within, limits)).toMatchObject({
      outcome: 'warning',
      text: 'Host resources may be short: CPU use of web-1 is at 97%.',
    })
    // The check is written as critical: the limits of the hosts hold beside those of the plan.
    expect(judgeHeadroom(within, limits, true)).toMatchObject({
      outcome: 'failed',
      text: 'Not enough host resources: CPU use of web-1 is at 97%.',
    })
    expect(judgeHeadroom(within, { ...limits, maxCpuRatio: null }).outcome).toBe('warning')
    const calm = { ...host([]), state: { ...host([]).state, use: [use('cpu', null)] } as HostState }
    expect(judgeHeadroom([calm], limits)).toMatchObject({
      outcome: 'warning',
      text: 'Host resources may be short: CPU use of web-1 was not measured for long enough.',
    })
    expect(judgeHeadroom([calm], { ...limits, maxCpuRatio: null }).outcome).toBe('passed')
    expect(missingRoom([withUse(use('cpu', 0.704), use('disk', 0.7, '/'))], limits)).toBe(
      'CPU use of web-1 is at 70.4%, limit 70% (deploy.resources.maxCpuRatio)',
    )
    expect(missingRoom([withUse(use('cpu', 0.7)), calm], limits)).toBe('')
    const silent = {
      ...host([], false),
      state: { ...host([], false).state, use: [use('cpu', 0.9)] } as HostState,
    }
    expect(missingRoom([silent], limits)).toBe('')
  })

  it('is unknown, not there, when nothing is measured', () => {
    expect(judgeHeadroom([]).outcome).toBe('warning')
    expect(judgeHeadroom([host([], false)]).outcome).toBe('warning')
    expect(judgeHeadroom([host([{ kind: 'cpu', severity: 'stale', value: null }])]).text).toContain(
      'was not measured',
    )
  })
})

describe('data to judge on', () => {
  it('need readable counts of the router and hosts that can be judged', () => {
    expect(judgeDataQuality([host([])], '').outcome).toBe('passed')
    expect(judgeDataQuality([host([], false)], '')).toMatchObject({
      outcome: 'warning',
      text: 'Data of 1 of 1 hosts cannot be used: web-1: no reading for 2 min.',
    })
    expect(judgeDataQuality([host([])], 'Nobody answers.')).toMatchObject({
      outcome: 'failed',
      isTransient: true,
    })
  })
})

describe('one deployment at a time', () => {
  it('is refused while another one is open, and does not see itself', () => {
    const own = { id: 'd1', candidateReleaseId: 'r2', createdBy: person('ana') }
    expect(judgeExclusive('d1', [own]).outcome).toBe('passed')
    expect(judgeExclusive('d2', [own])).toMatchObject({
      outcome: 'failed',
      text: 'The service is already being deployed: ana is deploying r2 (d1).',
    })
  })
})

describe('a short load', () => {
  const limits = { maxErrorRatio: 0.01, maxP95Ms: null, maxRegression: 0.2, minRequests: 50 }
  const counts = (requests: number, errors: number, ms: number): Counts => {
    const latencyCounts: number[] = latencyBoundsMs.map(() => 0)
    latencyCounts[latencyBoundsMs.findIndex((bound) => bound >= ms)] = requests
    const sum = noCounts()
    addCounts(sum, { requests, errors, timeouts: 0, latencyCounts })
    return sum
  }

  it('is held against errors, an absolute time and the stored baseline', () => {
    const stable = counts(1000, 0, 100)
    expect(judgeLoad(counts(500, 5, 100), stable, limits).outcome).toBe('passed')
    expect(judgeLoad(counts(500, 6, 100), stable, limits).text).toContain('1.2% of the requests failed')
    expect(judgeLoad(counts(500, 0, 150), stable, limits).text).toContain('stable release 107 ms')
    expect(judgeLoad(counts(500, 0, 150), stable, { ...limits, maxRegression: 1 }).outcome).toBe('passed')
    expect(judgeLoad(counts(500, 0, 150), null, { ...limits, maxP95Ms: 120 }).outcome).toBe('failed')
  })

  it('says so when there is nothing to compare with, or too little to say anything', () => {
    expect(judgeLoad(counts(500, 0, 100), null, limits).outcome).toBe('warning')
    expect(judgeLoad(counts(500, 0, 100), counts(20, 0, 10), limits).outcome).toBe('warning')
    expect(judgeLoad(counts(49, 0, 100), null, limits).outcome).toBe('failed')
    expect(judgeLoad(noCounts(), null, limits).outcome).toBe('failed')
  })
})
