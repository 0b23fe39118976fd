import { describe, expect, it } from 'vitest'
import { readPlanOptions } from '../../../../src/engine/config/index.ts'

const read = (written: Record<string, string>) => readPlanOptions(written, '--set')

describe('the options of one deployment, written in words', () => {
  it('are those of the config, in the units of the config, and nothing that was not said', () => {
    expect(
      read({
        'limits.maxErrorRatio': '2%',
        'limits.minSamples': '50',
        'resources.maxCpuRatio': '90%',
        metricsEvery: '10s',
        onFailure: 'pause',
        isFix: 'true',
        instances: '3',
      }),
    ).toEqual({
      ok: true,
      value: {
        limits: { maxErrorRatio: 0.02, minSamples: 50 },
        resources: { maxCpuRatio: 0.9 },
        metricsEveryMs: 10_000,
        onFailure: 'pause',
        isFix: true,
        instances: 3,
      },
    })
    expect(read({ maxTime: '5m' })).toEqual({ ok: true, value: { maxTimeMs: 300_000 } })
  })

  it('turn a limit off with null, as in a file, and only what can be turned off', () => {
    expect(read({ 'resources.maxCpuRatio': 'null' })).toEqual({
      ok: true,
      value: { resources: { maxCpuRatio: null } },
    })
    expect(read({ maxTime: 'null' })).toMatchObject({ ok: false, error: { code: 'BAD_INPUT' } })
  })

  it('are refused all together, each mistake with what was meant', () => {
    const refused = read({ maxErrorRatio: '2%', metrcisEvery: '10s', instances: 'many', hold: '10 parsecs' })
    expect(refused).toMatchObject({ ok: false, error: { code: 'BAD_INPUT' } })
    const text = refused.ok ? '' : refused.error.message
    expect(text).toContain('did you mean limits.maxErrorRatio?')
    expect(text).toContain('did you mean metricsEvery?')
    expect(text).toContain('instances: found the string "many"')
    expect(text).toContain('hold: found')
  })

  it('cannot be lists: steps have a flag of their own', () => {
    expect(read({ steps: '10:1m' })).toMatchObject({ ok: false })
  })
})
