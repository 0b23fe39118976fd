import type { Hook, Plan } from '../../contract/index.ts'

/** One run of a hook that is due. */
export interface HookRun {
  /** Unique for hook and occasion, and the same after a restart. */
  key: string
  hook: Hook
  /** Index of the step for hooks of `stepping`; null elsewhere. */
  step: number | null
}

/** The hooks that are due at one moment, in the order of the plan. */
export function hooksFor(
  deployment: { id: string; plan: Plan },
  when: Hook['when'],
  phase: Hook['phase'],
  step: number | null = null,
): HookRun[] {
  return deployment.plan.hooks.flatMap((hook, index) =>
    hook.when === when && hook.phase === phase
      ? [{ key: [deployment.id, 'hook', index, step ?? ''].join(':'), hook, step }]
      : [],
  )
}
