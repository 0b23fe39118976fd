import type { Hook } from '../model/deployments.ts'

const occasions = {
  validating: 'the checks',
  staging: 'the start of its instances',
  promoting: 'the promotion',
  rolling_back: 'the rollback',
} as const satisfies Record<Exclude<Hook['phase'], 'stepping'>, string>

/** When a hook runs: `before the checks`, `after step 2`. `stepIndex` counts from 0 and is null outside of steps. */
export const hookMoment = ({ when, phase }: Pick<Hook, 'when' | 'phase'>, stepIndex: number | null): string =>
  `${when} ${phase === 'stepping' ? `step ${(stepIndex ?? 0) + 1}` : occasions[phase]}`
