import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LimitState, Severity } from '../../../../src/contract/index.ts'
import { decideLimit, defaultLimits, type LimitSubject } from '../../../../src/engine/telemetry/limits.ts'

const limit = { warning: 0.8, critical: 0.95, holdMs: 30_000 }
const subject: LimitSubject = { kind: 'cpu', subject: '', series: 'cpu.busy', unit: 'ratio' }

function after(severity: Severity, mean: number, coveredMs = 30_000): LimitState {
  const previous: LimitState = { ...subject, ...limit, severity, value: 0, sinceMs: 1 }
  return decideLimit(previous, subject, { mean, coveredMs }, limit, 2)
}

describe('a limit', () => {
  it.each<[Severity, number, Severity]>([
    ['ok', 0.79, 'ok'],
    ['ok', 0.8, 'warning'],
    ['ok', 0.95, 'critical'],
    ['warning', 0.77, 'warning'],
    ['warning', 0.75, 'ok'],
    ['warning', 0.949, 'warning'],
    ['critical', 0.91, 'critical'],
    ['critical', 0.9, 'warning'],
    ['critical', 0.77, 'warning'],
    ['critical', 0.75, 'ok'],
    ['stale', 0.79, 'ok'],
    ['stale', 0.96, 'critical'],
    ['critical', NaN, 'stale'],
  ])('that is %s at a mean of %d is %s', (before, mean, severity) => {
    expect(after(before, mean)).toMatchObject({ severity, sinceMs: severity === before ? 1 : 2 })
  })

  it('changes neither way while less than half of its hold time is measured', () => {
    expect(after('ok', 1, 14_000).severity).toBe('ok')
    expect(after('critical', 0, 14_000).severity).toBe('critical')
    expect(after('stale', 1, 14_000).severity).toBe('ok')
  })

  it('begins at its first look', () => {
    expect(decideLimit(undefined, subject, { mean: 0.5, coveredMs: 1000 }, limit, 7)).toMatchObject({
      severity: 'ok',
      sinceMs: 7,
    })
  })

  it('that is broken as soon as enough is measured was so before the engine began to look', () => {
    const look = (previous: LimitState | undefined, mean: number, coveredMs: number, atMs: number) =>
      decideLimit(previous, subject, { mean, coveredMs }, limit, atMs)
    const first = look(undefined, 1, 1000, 7)
    const broken = look(first, 1, 15_000, 21)
    expect(broken).toMatchObject({ severity: 'critical', sinceMs: 7, isOlder: true })
    expect(look(broken, 1, 30_000, 36)).toMatchObject({ sinceMs: 7, isOlder: true })
    const eased = look(broken, 0.9, 30_000, 50)
    expect(eased).toMatchObject({ severity: 'warning', sinceMs: 50 })
    expect(eased.isOlder).toBeUndefined()

    const well = look(first, 0.5, 15_000, 21)
    expect(well.isOlder).toBeUndefined()
    const later = look(well, 1, 30_000, 60)
    expect(later).toMatchObject({ severity: 'critical', sinceMs: 60 })
    expect(later.isOlder).toBeUndefined()
  })

  it('changes at most once while its mean stays within the margin', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<Severity>('ok', 'warning', 'critical'),
        fc.array(fc.double({ min: 0.765, max: 0.94, noNaN: true }), { minLength: 2 }),
        (before, means) => {
          let state = after(before, means[0] ?? 0)
          let changes = 0
          for (const mean of means) {
            const next = decideLimit(state, subject, { mean, coveredMs: 30_000 }, limit, 3)
            if (next.severity !== state.severity) changes += 1
            state = next
          }
          expect(changes).toBeLessThanOrEqual(1)
        },
      ),
    )
  })

  it('by default warns at 0.8 for CPU, memory and disk', () => {
    expect(
      [defaultLimits.cpu, defaultLimits.memory, defaultLimits.disk].map(({ warning }) => warning),
    ).toEqual([0.8, 0.8, 0.8])
  })
})
