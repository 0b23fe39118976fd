import { describe, expect, it } from 'vitest'
import { planSchema, presets } from '../../../../src/contract/index.ts'
import { buildPlan, planBeside, straightPlan, undoPlan } from '../../../../src/engine/deployments/index.ts'
import type { PlanOptions } from '../../../../src/contract/index.ts'

const built = (...layers: PlanOptions[]) => {
  const plan = buildPlan(...layers)
  if (!plan.ok) throw plan.error
  return plan.value
}

describe('a plan', () => {
  it('is 10 % for 10 minutes, judged every 30 s and rolled back on failure, with nothing configured', () => {
    expect(built()).toMatchObject({
      steps: [{ weight: 10, holdMs: 600_000, analysis: true, gate: false }],
      metricsEveryMs: 30_000,
      onFailure: 'rollback',
      limits: { minSuccessRatio: 0.99, maxErrorRatio: 0.01, maxLatencyRegression: 0.2 },
    })
  })

  it('takes each option from the last layer that sets it', () => {
    const plan = built(
      { weight: 5, limits: { maxErrorRatio: 0.02 } },
      { holdMs: 60_000, instances: 3 },
      { limits: { minSamples: 50 } },
    )
    expect(plan.steps).toEqual([{ weight: 5, holdMs: 60_000, analysis: true, gate: false }])
    expect(plan.instances).toBe(3)
    expect(plan.limits).toMatchObject({ maxErrorRatio: 0.02, minSamples: 50 })
  })

  it.each([
    ['as failures', [{ maxErrorRatio: 0.02 }], 0.02],
    ['as successes', [{ minSuccessRatio: 0.999 }], 0.001],
    ['first in one way and later in the other', [{ maxErrorRatio: 0.001 }, { minSuccessRatio: 0.95 }], 0.05],
    ['in both ways at once: the stricter holds', [{ maxErrorRatio: 0.05, minSuccessRatio: 0.97 }], 0.03],
  ])('lets as many requests fail as was said %s', (_, limits, most) => {
    const plan = built(...limits.map((each) => ({ limits: each })), { limits: { minSamples: 50 } })
    expect(plan.limits).toMatchObject({ maxErrorRatio: most, minSuccessRatio: 1 - most })
  })

  it('takes a preset of a later layer over steps of an earlier one, and steps beside a preset over it', () => {
    expect(built({ weight: 5 }, { preset: 'aggressive' }).steps.map(({ weight }) => weight)).toEqual([25, 50])
    expect(built({ preset: 'aggressive', maxTimeMs: 3_600_000 }).maxTimeMs).toBe(3_600_000)
  })

  it.each(presets)('of the preset %s is valid, and fits into its own time', (preset) => {
    const plan = built({ preset })
    expect(planSchema.parse(plan)).toEqual(plan)
    expect(plan.steps.reduce((sum, { holdMs }) => sum + holdMs, 0)).toBeLessThan(plan.maxTimeMs)
  })

  it('goes slower the more careful its preset is', () => {
    const [conservative, balanced, aggressive] = presets.map((preset) => built({ preset }))
    expect(conservative?.steps[0]?.weight).toBeLessThan(balanced?.steps[0]?.weight ?? 0)
    expect(balanced?.steps[0]?.weight).toBeLessThan(aggressive?.steps[0]?.weight ?? 0)
    expect(conservative?.startAtOnce).toBeLessThan(aggressive?.startAtOnce ?? 0)
  })

  it('asks for the more room on hosts the more careful its preset is, and for none without one', () => {
    const [conservative, balanced, aggressive] = presets.map((preset) => built({ preset }).resources)
    expect(conservative).toEqual({ maxCpuRatio: 0.7, maxMemoryRatio: 0.75, maxDiskRatio: 0.8 })
    expect(balanced).toEqual({ maxCpuRatio: 0.85, maxMemoryRatio: 0.85, maxDiskRatio: 0.9 })
    expect(aggressive).toEqual({ maxCpuRatio: 0.95, maxMemoryRatio: 0.95, maxDiskRatio: 0.95 })
    expect(built().resources).toEqual({ maxCpuRatio: null, maxMemoryRatio: null, maxDiskRatio: null })
  })

  it('takes each limit of resources from the last layer that sets it, and all from a preset named later', () => {
    const own = { resources: { maxCpuRatio: null, maxDiskRatio: 0.5 } }
    expect(built({ preset: 'balanced' }, own).resources).toEqual({
      maxCpuRatio: null,
      maxMemoryRatio: 0.85,
      maxDiskRatio: 0.5,
    })
    expect(built(own, { preset: 'balanced' }).resources).toEqual(built({ preset: 'balanced' }).resources)
  })

  it('names every mistake at once', () => {
    const wrong = buildPlan({
      steps: [
        { weight: 50, holdMs: 600_000, analysis: true, gate: false },
        { weight: 10, holdMs: 5000, analysis: true, gate: false },
      ],
      maxTimeMs: 60_000,
    })
    expect(wrong.ok).toBe(false)
    if (wrong.ok) return
    expect(wrong.error.code).toBe('BAD_INPUT')
    expect(wrong.error.message).toContain('step 2 has 10%, less than the 50% before it')
    expect(wrong.error.message).toContain('maxTime is 1 min')
    expect(wrong.error.message).toContain('must hold for at least 30 s')
  })

  it('of a first release keeps what it skips, which holds again beside a release that has traffic', () => {
    const plan = built({ preset: 'balanced', instances: 3 })
    const first = planBeside(null, plan)
    expect(planSchema.parse(first)).toEqual(first)
    expect(first).toMatchObject({ ...straightPlan(plan), skipped: { preset: 'balanced', steps: plan.steps } })
    expect(planBeside(null, first)).toEqual(first)
    expect(planBeside('r1', first)).toEqual(plan)
    expect(planBeside('r1', plan)).toEqual(plan)
    expect(planBeside(null, undoPlan(plan))).toEqual(undoPlan(plan))
  })

  it('of an undo has no steps to wait for, looks at no host and starts all instances at once', () => {
    const plan = straightPlan(built({ preset: 'conservative', instances: 4 }))
    expect(plan.steps).toEqual([{ weight: 100, holdMs: 0, analysis: false, gate: false }])
    expect(plan).toMatchObject({ skipAnalysis: true, startAtOnce: 4 })
    expect(Object.values(plan.resources ?? {})).toEqual([null, null, null])
  })
})

it('names the step that is too short to be judged, and the setting that says so', () => {
  const step = (weight: number, holdMs: number) => ({ weight, holdMs, analysis: true, gate: false })
  const plan = buildPlan({ steps: [step(10, 60_000), step(50, 20_000)], metricsEveryMs: 30_000 })
  expect(plan).toMatchObject({
    ok: false,
    error: {
      message:
        'step 2 (50%) holds for 20 s: a step that is judged must hold for at least 30 s, the time between two judgments (metricsEvery)',
    },
  })
})
