import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  liveStepMs,
  neighbour,
  rangePresets,
  rangeChoice,
  rangeQuery,
  type RangeChoice,
} from '../../../../src/renderer/screens/host/range.ts'

const queryOf = (choice: RangeChoice) => {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(rangeQuery(choice))) if (value !== null) query.set(name, value)
  return query
}

const preset = fc.constantFrom(...rangePresets)
const range = fc
  .record({ fromMs: fc.integer({ min: 0, max: 2e12 }), spanMs: fc.integer({ min: 1000, max: 9e10 }) })
  .map(({ fromMs, spanMs }) => ({ fromMs, toMs: fromMs + spanMs }))
const choice: fc.Arbitrary<RangeChoice> = fc.oneof(
  fc.record({ kind: fc.constant('live' as const), preset }),
  fc.record({ kind: fc.constant('still' as const), preset, range }),
  fc.record({ kind: fc.constant('paused' as const), preset, range }),
)

describe('the range in the address', () => {
  it('is read back as it was written', () => {
    fc.assert(
      fc.property(choice, (one) => {
        expect(rangeChoice(queryOf(one))).toEqual(one)
      }),
    )
  })

  it('is the last 15 minutes, live, when it says nothing', () => {
    expect(rangeChoice(new URLSearchParams())).toMatchObject({ kind: 'live', preset: { name: '15m' } })
  })

  it.each([
    'from=5&to=1',
    'from=a&to=b',
    'from=1',
    'from=-9&to=9',
    'from=0&to=9e15',
    'from=1&to=2',
    'range=1y',
  ])('falls back to live on %s', (text) => expect(rangeChoice(new URLSearchParams(text)).kind).toBe('live'))

  it('never throws, whatever stands there', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('range', 'from', 'to', 'paused'), fc.string()), (query) => {
        const read = rangeChoice(new URLSearchParams(query))
        if (read.kind !== 'live' && read.range) expect(read.range.toMs).toBeGreaterThan(read.range.fromMs)
      }),
    )
  })

  it('is paused without a place when only that is said', () => {
    expect(rangeChoice(new URLSearchParams('paused=1'))).toMatchObject({ kind: 'paused', range: undefined })
  })
})

describe('presets', () => {
  it('stop at the shortest and the longest', () => {
    const [shortest, longest] = [rangePresets[0], rangePresets[rangePresets.length - 1]]
    expect(neighbour(shortest, -1)).toBe(shortest)
    expect(longest && neighbour(longest, 1)).toBe(longest)
    expect(neighbour(rangePresets[0], 1)).toBe(rangePresets[1])
  })

  it('move on with each sample when short, and a pixel at a time when long', () => {
    expect(liveStepMs(5 * 60_000)).toBe(1000)
    expect(liveStepMs(24 * 3_600_000)).toBe(108_000)
  })
})
