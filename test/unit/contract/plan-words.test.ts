import { describe, expect, it } from 'vitest'
import {
  judgeText,
  judgingText,
  missingGates,
  planSchema,
  skippedText,
  trafficForecast,
} from '../../../src/contract/index.ts'
import { buildPlan, planBeside } from '../../../src/engine/deployments/index.ts'
import type { Plan, PlanOptions } from '../../../src/contract/index.ts'

function planOf(options: PlanOptions = {}) {
  const plan = buildPlan(options)
  if (!plan.ok) throw plan.error
  return plan.value
}
const plain = (texts: readonly string[]) => texts.map((text) => text.replaceAll(' ', ' '))
const step = (weight: number, holdMs: number, analysis = true) => ({ weight, holdMs, analysis, gate: false })
const ran = (...names: string[]) => ({
  results: names.map((name) => ({
    name,
    critical: true,
    outcome: 'passed' as const,
    text: '',
    output: '',
    durationMs: 1,
    attempts: 1,
  })),
})

describe('a plan in words', () => {
  it('names warm-up, interval, consecutive failures and what is not waited for', () => {
    expect(plain(judgingText(planOf()))).toEqual([
      'Judge: threshold, version 1',
      'Judged every 30 s, after a warm-up of 30 s, once it has 100 requests',
      '3 consecutive failures (judgments over the same limit) roll it back',
      'With enough traffic, a clear failure rolls it back within 15 s, even during warm-up',
      'More than 2 instance failures roll it back',
    ])
  })

  it('names the judge, and of a plan of an earlier version the one that it had', () => {
    const plan: Plan = planOf()
    expect(plan.judge).toBeUndefined()
    expect(planSchema.parse(plan)).toEqual(plan)
    expect(judgeText(plan)).toBe('threshold, version 1')
    expect(judgeText({ judge: { name: 'bayes', version: 3 } })).toBe('bayes, version 3')
    expect(judgingText({ ...plan, judge: { name: 'bayes', version: 3 } })[0]).toBe('Judge: bayes, version 3')
  })

  it('says how many requests a step may expect at the traffic of now', () => {
    const plan = planOf({ weight: 10, holdMs: 300_000 })
    expect(trafficForecast(plan, 3)).toBe('About 90 requests per step at the current traffic; 100 needed')
    const steps = [step(10, 300_000), step(50, 300_000)]
    expect(trafficForecast(planOf({ steps }), 3)).toContain('About 90 to 450 requests per step')
    expect(trafficForecast(plan, null)).toBe('')
    expect(trafficForecast(planOf({ skipAnalysis: true }), 3)).toBe('')
  })

  it.each([
    [planOf({ skipAnalysis: true }), 'No step is judged: the release is promoted without a quality gate'],
    [
      planOf({ steps: [step(10, 60_000, false)] }),
      'No step is judged: the release is promoted without a quality gate',
    ],
    [planOf({ steps: [step(10, 60_000), step(50, 60_000, false)] }), 'Step 2 is not judged'],
  ])('says what is promoted without being judged', (plan, text) => {
    expect(missingGates(plan, ran('artifact', 'smoke'))).toEqual([text])
  })

  it('says which steps a first release skips and why, instead of what they would have judged', () => {
    const steps = [step(5, 60_000), step(50, 60_000)]
    const plan = planBeside(null, planOf({ steps }))
    expect(skippedText(plan)).toBe(
      'The 2 steps (5%, 50%) are skipped: there is no stable release to compare with. It gets all traffic at once when its checks pass and it is healthy',
    )
    expect(skippedText(planBeside(null, planOf({ weight: 7.5 })))).toMatch(/^The step \(7\.5%\) is skipped/)
    expect(judgingText(plan)).toEqual([])
    expect(trafficForecast(plan, 3)).toBe('')
    expect(missingGates(plan, ran('smoke'))).toEqual([])
    expect(skippedText(planOf({ steps }))).toBe('')
  })

  it('says that only the built-in checks look at a release', () => {
    expect(missingGates(planOf(), ran('artifact', 'secrets'))).toEqual([
      'Only the built-in checks run: no checks are configured for this service',
    ])
    expect(missingGates(planOf(), ran('artifact', 'smoke'))).toEqual([])
    expect(missingGates(planOf(), null)).toEqual([])
  })
})
