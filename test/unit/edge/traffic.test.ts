import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AppError } from '../../../src/base/index.ts'
import { noTraffic, Traffic } from '../../../src/edge/balancing/traffic.ts'

const healthy = new Set(['r1', 'r2'])
const open = () =>
  new Traffic(
    noTraffic(),
    (id) => healthy.has(id),
    () => undefined,
  )

const change = (
  weights: Record<string, number>,
  expectedRevision: number,
  key: string,
  endsEmergency = false,
) => ({
  service: 'shop',
  weights,
  fallbackReleaseId: 'r1',
  expectedRevision,
  key,
  endsEmergency,
})

const codeOf = (run: () => unknown): string => {
  try {
    run()
    return 'done'
  } catch (failure) {
    if (failure instanceof AppError) return failure.code
    throw failure
  }
}

describe('the traffic of a service', () => {
  it('takes shares that are together 100, or none at all', () => {
    const traffic = open()
    expect(codeOf(() => traffic.set(change({ r1: 90, r2: 9 }, 0, 'a')))).toBe('BAD_INPUT')
    expect(codeOf(() => traffic.set(change({ r1: 33.3, r2: 66.7 }, 0, 'b')))).toBe('done')
    expect(codeOf(() => traffic.set(change({}, 1, 'c')))).toBe('done')
    expect(traffic.report().weights).toEqual({})
  })

  it('lets the share of a release without a healthy instance fall, not rise', () => {
    const traffic = open()
    traffic.set(change({ r1: 50, r2: 50 }, 0, 'a'))
    healthy.delete('r2')
    expect(codeOf(() => traffic.set(change({ r1: 40, r2: 60 }, 1, 'b')))).toBe('NO_HEALTHY_INSTANCE')
    expect(codeOf(() => traffic.set(change({ r1: 60, r2: 40 }, 1, 'c')))).toBe('done')
    healthy.add('r2')
  })

  it('falls back in an emergency only to what is healthy, or to what the order names', () => {
    const traffic = open()
    expect(codeOf(() => traffic.emergency({ service: 'shop', key: 'e' }, 5))).toBe('NO_HEALTHY_INSTANCE')
    expect(codeOf(() => traffic.emergency({ service: 'shop', key: 'f', toReleaseId: 'r9' }, 5))).toBe(
      'NO_HEALTHY_INSTANCE',
    )
    traffic.emergency({ service: 'shop', key: 'g', toReleaseId: 'r2' }, 5)
    expect(traffic.report()).toMatchObject({
      weights: { r2: 100 },
      emergency: { key: 'g', atMs: 5 },
      revision: 1,
    })
  })

  it('grows its revision by one with each change and by none otherwise, whatever the calls', () => {
    const call = fc.record({
      share: fc.integer({ min: 0, max: 100 }),
      revisionOff: fc.constantFrom(0, 0, 0, 1, -1),
      key: fc.integer({ min: 0, max: 8 }).map(String),
      endsEmergency: fc.boolean(),
      isEmergency: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(call, { maxLength: 30 }), (calls) => {
        const traffic = open()
        for (const { share, revisionOff, key, endsEmergency, isEmergency } of calls) {
          const before = traffic.report()
          const outcome = codeOf(() =>
            isEmergency
              ? traffic.emergency({ service: 'shop', key, toReleaseId: 'r1' }, 1)
              : traffic.set(
                  change({ r1: 100 - share, r2: share }, before.revision + revisionOff, key, endsEmergency),
                ),
          )
          const after = traffic.report()
          if (outcome !== 'done' || after.revision === before.revision) expect(after).toEqual(before)
          else expect(after.revision).toBe(before.revision + 1)
          const total = Object.values(after.weights).reduce((sum, weight) => sum + weight, 0)
          expect(after.revision === 0 ? total : total - 100).toBe(0)
        }
      }),
    )
  })
})
