import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { buildPlan } from '../../../../src/engine/deployments/index.ts'
import { judgeLimitsSchema } from '../../../../src/contract/index.ts'

const page = new URL('../../../../docs/canary.md', import.meta.url)

describe('the page on canaries', () => {
  it('names every limit with the default in force', async () => {
    const text = await readFile(page, 'utf8')
    const table = text.slice(text.indexOf('## Defaults'))
    const documented = new Map(
      [...table.matchAll(/^\| `(\S+)` +\| (.+?) +\|$/gm)].map(([, name = '', value = '']) => [name, value]),
    )
    const plan = buildPlan({})
    if (!plan.ok) throw plan.error
    const { metricsEveryMs, onFailure, onInconclusive, limits } = plan.value
    const settings = { ...prefixed(limits), metricsEveryMs, onFailure, onInconclusive }
    const inForce = Object.entries(settings).map(([name, value]) =>
      name.endsWith('Ms') ? [name.slice(0, -2), `${Number(value) / 1000} s`] : [name, String(value)],
    )
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(inForce))
    expect(limits).toEqual(judgeLimitsSchema.parse({}))
  })
})

const prefixed = (limits: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(limits).map(([name, value]) => [`limits.${name}`, value]))
