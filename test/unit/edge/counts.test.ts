import { describe, expect, it } from 'vitest'
import { latencyBoundsMs } from '../../../src/contract/index.ts'
import { BinLog } from '../../../src/edge/counts/index.ts'
import { latencyIndex } from '../../../src/edge/counts/release-counts.ts'
import { VirtualClock } from '../../support/clock.ts'

describe('the place of a latency in the histogram', () => {
  it('is the first bound that is not below it, at, under and over every bound', () => {
    for (const [i, bound] of latencyBoundsMs.entries()) {
      expect(latencyIndex(bound)).toBe(i)
      expect(latencyIndex(bound * 0.9999)).toBe(i)
      expect(latencyIndex(bound * 1.0001)).toBe(i + 1)
    }
    expect(latencyIndex(0)).toBe(0)
    expect(latencyIndex(1e9)).toBe(latencyBoundsMs.length)
  })
})

describe('the bins of a service', () => {
  it('count attempts in the bin in which they end, and show those under way', async () => {
    const clock = new VirtualClock()
    const log = new BinLog(clock, 'boot')
    const counts = log.of('r1')
    const slow = counts.begin()
    const quick = counts.begin()
    await clock.advance(10)
    counts.end(quick, 'answered')
    await clock.advance(990)
    log.close(['r1'])
    await clock.advance(1000)
    counts.end(slow, 'timed_out')
    counts.end(slow, 'answered')
    log.close(['r1'])
    const [first, second] = log.since(null).bins
    expect(first).toMatchObject({
      requests: 1,
      errors: 0,
      inFlight: 1,
      oldestInFlightMs: 1000,
      durationMs: 1000,
    })
    expect(second).toMatchObject({ requests: 1, errors: 1, timeouts: 1, inFlight: 0, oldestInFlightMs: 0 })
    expect(first?.latencies).toEqual([[latencyIndex(10), 1]])
  })

  it('measure what was answered whole and without an error, and nothing else', () => {
    const log = new BinLog(new VirtualClock(), 'boot')
    const counts = log.of('r1')
    for (const outcome of ['answered', 'unmeasured', 'failed', 'timed_out'] as const)
      counts.end(counts.begin(), outcome)
    log.close([])
    const [bin] = log.since(null).bins
    expect(bin).toMatchObject({ requests: 4, errors: 2, timeouts: 1 })
    expect(bin?.latencies).toEqual([[0, 1]])
  })

  it('tell what has begun, and of what is in progress for 10 s what waits and what has stopped', async () => {
    const clock = new VirtualClock()
    const log = new BinLog(clock, 'boot')
    const counts = log.of('r1')
    const [silent, flowing, stopped, unread] = [
      counts.begin(),
      counts.begin(),
      counts.begin(),
      counts.begin(),
    ]
    counts.moved(stopped)
    counts.moved(unread)
    unread.isBlocked = true
    for (let second = 0; second < 12; second++) {
      counts.moved(flowing)
      if (second === 11) counts.begin()
      await clock.advance(1000)
      log.close(['r1'])
    }
    const { bins } = log.since(null)
    expect(bins.map(({ begun }) => begun)).toEqual([3, ...new Array<number>(11).fill(0)])
    expect(bins[8]).toMatchObject({ longInFlight: 0, unanswered: 0, oldestUnansweredMs: 0, stalled: 0 })
    expect(bins[9]).toMatchObject({ longInFlight: 4, unanswered: 1, oldestUnansweredMs: 10_000, stalled: 0 })
    expect(bins[11]).toMatchObject({
      inFlight: 5,
      longInFlight: 4,
      unanswered: 1,
      oldestUnansweredMs: 12_000,
      stalled: 1,
    })
    counts.end(silent, 'answered')
    counts.end(flowing, 'answered')
    counts.end(stopped, 'failed')
    counts.end(unread, 'abandoned')
    counts.moved(silent)
    log.close(['r1'])
    expect(log.since(null).bins.at(-1)).toMatchObject({ begun: 1, begunLate: 1, longInFlight: 0, stalled: 0 })
  })

  it('count a whole response without a body as begun, and none of what had no response', () => {
    const log = new BinLog(new VirtualClock(), 'boot')
    const counts = log.of('r1')
    for (const outcome of ['answered', 'failed', 'timed_out', 'abandoned', 'diverted', 'uncounted'] as const)
      counts.end(counts.begin(), outcome)
    log.close([])
    expect(log.since(null).bins[0]).toMatchObject({ begun: 1, begunLate: 0 })
  })

  it('keep apart what was abandoned, diverted or unserved, and give none of it a latency', () => {
    const log = new BinLog(new VirtualClock(), 'boot')
    const counts = log.of('r1')
    for (const outcome of ['abandoned', 'diverted', 'unserved', 'uncounted'] as const)
      counts.end(counts.begin(), outcome)
    counts.unserved()
    log.close([])
    const [bin] = log.since(null).bins
    expect(bin).toMatchObject({ requests: 2, errors: 2, abandoned: 1, diverted: 1, unserved: 2, inFlight: 0 })
    expect(bin?.latencies).toEqual([])
  })

  it('tell what happened to instances, also of a release that gets no requests', () => {
    const log = new BinLog(new VirtualClock(), 'boot')
    for (const failure of ['crash', 'oom_kill', 'health', 'ejection'] as const)
      log.of('r1').instanceFailed(failure)
    log.close([])
    log.close([])
    const { bins } = log.since(null)
    expect(bins).toHaveLength(1)
    expect(bins[0]).toMatchObject({ requests: 0, crashes: 2, oomKills: 1, healthFailures: 1, ejections: 1 })
  })

  it('take over what another edge counted, whole', () => {
    const [before, log] = [new BinLog(new VirtualClock(), 'a'), new BinLog(new VirtualClock(), 'b')]
    before.of('r1').instanceFailed('crash')
    before.of('r1').end(before.of('r1').begin(), 'abandoned')
    before.close([])
    const [kept] = before.since(null).bins
    if (kept) log.of('r1').absorb(kept)
    log.close([])
    expect(log.since(null).bins[0]).toMatchObject({ crashes: 1, abandoned: 1, requests: 0 })
  })

  it('show a routed release without requests, and an unrouted one only while it has some', async () => {
    const clock = new VirtualClock()
    const log = new BinLog(clock, 'boot')
    log.of('gone').end(log.of('gone').begin(), 'answered')
    log.close(['r1'])
    log.close(['r1'])
    expect(
      log
        .since(null)
        .bins.map(({ releaseId }) => releaseId)
        .sort(),
    ).toEqual(['gone', 'r1', 'r1'])
  })

  it('go on from a cursor, and from the beginning of this run with one of another', () => {
    const log = new BinLog(new VirtualClock(), 'boot')
    expect(log.since(null)).toEqual({ bins: [], cursor: 'boot.0' })
    log.close(['r1'])
    const { cursor } = log.since(null)
    log.close(['r1'])
    expect(log.since(cursor).bins).toHaveLength(1)
    expect(log.since(log.since(cursor).cursor).bins).toHaveLength(0)
    expect(log.since('other.77').bins).toHaveLength(2)
    expect(log.since('nonsense').bins).toHaveLength(2)
  })

  it('are kept for 15 minutes, and say how long they were when the machine slept', async () => {
    const clock = new VirtualClock()
    const log = new BinLog(clock, 'boot')
    for (let i = 0; i < 1000; i++) {
      await clock.advance(1000)
      log.close(['r1'])
    }
    expect(log.since(null).bins).toHaveLength(900)
    await clock.advance(60_000)
    log.close(['r1'])
    expect(log.since(null).bins.at(-1)?.durationMs).toBe(60_000)
  })
})
