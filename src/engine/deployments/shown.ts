import type { Deployment, Plan } from '../../contract/index.ts'

/** A plan as shown to people. User, password, path and query of a webhook may be secrets and stay with the engine. */
export const shownPlan = (plan: Plan): Plan => ({
  ...plan,
  hooks: plan.hooks.map((hook) =>
    hook.run.kind === 'webhook' && hook.run.url !== undefined
      ? { ...hook, run: { kind: 'webhook', url: new URL(hook.run.url).origin } }
      : hook,
  ),
})

/** A deployment as shown to people. */
export const shownDeployment = (deployment: Deployment): Deployment => ({
  ...deployment,
  plan: shownPlan(deployment.plan),
})
