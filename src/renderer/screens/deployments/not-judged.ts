import type { Deployment } from '../../../contract/index.ts'
import { hasEnded } from '../../state/service-records.ts'

type Unjudged = Pick<Deployment, 'phase' | 'isHandedOver' | 'plan' | 'stableReleaseId'>

/** Why a deployment without a judgment gets none any more, as a sentence; null while one may come. */
export function whyNotJudged(deployment: Unjudged): string | null {
  const { phase, isHandedOver, plan, stableReleaseId } = deployment
  if (!hasEnded(deployment) && phase !== 'rolling_back' && !isHandedOver) return null
  if (plan.skipAnalysis) return 'Not judged: this plan skips judgment.'
  if (stableReleaseId === null) return 'Not judged: a first release has nothing to be compared with.'
  if (phase === 'failed') return 'Not judged: it failed before it had traffic.'
  return isHandedOver || phase === 'promoted'
    ? 'Not judged: it was promoted before the first judgment.'
    : 'Not judged: it was rolled back before the first judgment.'
}
