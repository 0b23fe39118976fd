import { describe, expect, it } from 'vitest'
import { buildPlan, shownPlan } from '../../../../src/engine/deployments/index.ts'

describe('a plan as people see it', () => {
  it('says where a webhook goes and nothing that could be its secret', () => {
    const built = buildPlan({
      hooks: [
        {
          name: 'tell',
          when: 'after',
          phase: 'promoting',
          run: { kind: 'webhook', url: 'https://anna:pass@hooks.example/services/T0/B0/secret?token=also' },
          timeoutMs: 1000,
          onFailure: 'continue',
        },
      ],
    })
    if (!built.ok) throw built.error
    const shown = shownPlan(built.value)
    expect(shown.hooks[0]?.run).toEqual({ kind: 'webhook', url: 'https://hooks.example' })
    expect(JSON.stringify(shown)).not.toMatch(/anna|pass|secret|also/)
    expect(built.value.hooks[0]?.run).toMatchObject({ url: expect.stringContaining('secret') as string })
  })

  it('names the place where the address of a webhook is kept', () => {
    const run = { kind: 'webhook' as const, urlEnv: 'TELL_URL' }
    const hook = {
      name: 'tell',
      when: 'after',
      phase: 'promoting',
      timeoutMs: 1000,
      onFailure: 'continue',
    } as const
    const built = buildPlan({ hooks: [{ ...hook, run }] })
    if (!built.ok) throw built.error
    expect(shownPlan(built.value).hooks[0]?.run).toEqual(run)
  })
})
