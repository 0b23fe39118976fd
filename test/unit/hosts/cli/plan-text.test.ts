import { describe, expect, it } from 'vitest'
import { buildPlan, planBeside } from '../../../../src/engine/deployments/index.ts'
import { planText } from '../../../../src/hosts/cli/operations/deployment-text.ts'

describe('a plan on the command line', () => {
  const plan = buildPlan({ preset: 'balanced', instances: 2 })
  if (!plan.ok) throw plan.error
  const textOf = (stableReleaseId: string | null) =>
    planText(planBeside(stableReleaseId, plan.value), null, { width: 200 }).replaceAll(' ', ' ')

  it('lists its steps and how they are judged', () => {
    expect(textOf('r1')).toMatch(
      /^Plan: canary, balanced, 2 instances, at most 1 h\n {2}1\. +10% +for 5 min +judged\n/,
    )
  })

  it('of a first release promises no step and no judge, and says why', () => {
    expect(textOf(null)).toBe(
      [
        'Plan: first release, 2 instances, at most 1 h\n',
        '  The 3 steps (10%, 25%, 50%) are skipped: there is no stable release to compare with. ',
        'It gets all traffic at once when its checks pass and it is healthy\n',
      ].join(''),
    )
  })
})
