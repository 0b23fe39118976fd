import type { Finding, Judgement } from '../model/deployments.ts'

/** What each decision of a judge is called wherever a person reads it. */
export const decisionNames: Readonly<Record<Judgement['decision'], string>> = {
  continue: 'continue',
  promote: 'within limits',
  rollback: 'roll back',
  inconclusive: 'inconclusive',
}

/** What each verdict of a finding is called. */
export const verdictNames: Readonly<Record<Finding['verdict'], string>> = {
  worse: 'worse',
  same: 'same',
  better: 'better',
  unclear: 'not clear',
}
