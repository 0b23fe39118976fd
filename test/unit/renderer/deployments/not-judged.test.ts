import { expect, it } from 'vitest'
import { whyNotJudged } from '../../../../src/renderer/screens/deployments/not-judged.ts'
import { madeDeployment } from './made.ts'

it.each([
  ['nothing while a judgment may come', {}, null],
  ['nothing while it waits for traffic', { phase: 'staging' } as const, null],
  [
    'that it was promoted, also while the old release is kept warm',
    { phase: 'promoting', isHandedOver: true } as const,
    'Not judged: it was promoted before the first judgment.',
  ],
  [
    'that it was promoted',
    { phase: 'promoted', isHandedOver: true } as const,
    'Not judged: it was promoted before the first judgment.',
  ],
  [
    'that it was rolled back',
    { phase: 'rolling_back' } as const,
    'Not judged: it was rolled back before the first judgment.',
  ],
  ['that it never had traffic', { phase: 'failed' } as const, 'Not judged: it failed before it had traffic.'],
  [
    'that there was nothing to compare with',
    { phase: 'promoted', stableReleaseId: null } as const,
    'Not judged: a first release has nothing to be compared with.',
  ],
])('says %s', (_what, change, expected) => {
  expect(whyNotJudged(madeDeployment(change))).toBe(expected)
})
