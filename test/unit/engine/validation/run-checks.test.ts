import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AppError, fail, ok, seededRng, silentLog } from '../../../../src/base/index.ts'
import type { ValidationRequest } from '../../../../src/engine/deployments/index.ts'
import {
  failed,
  failedForNow,
  passed,
  runLimitMs,
  validatorOf,
  warned,
  type Check,
  type CheckVerdict,
} from '../../../../src/engine/validation/index.ts'
import { type CheckResult, type Validation } from '../../../../src/contract/index.ts'
import { VirtualClock } from '../../../support/clock.ts'

const request = {
  deploymentId: 'd1',
  service: 'shop',
  release: { id: 'r2' },
  stableReleaseId: 'r1',
} as ValidationRequest

const check = (run: Check['run'], more: Partial<Check> = {}): Check => ({
  name: 'probe',
  isCritical: true,
  timeoutMs: 30_000,
  retries: 3,
  isTimeoutTransient: true,
  run,
  ...more,
})

const never = () => new Promise<CheckVerdict>(() => undefined)

async function validated(checks: Check[], stop?: { atMs: number }) {
  const clock = new VirtualClock()
  const controller = new AbortController()
  const validator = validatorOf({ clock, rng: seededRng(7), log: silentLog, checksOf: () => ok(checks) })
  if (stop) clock.after(stop.atMs, () => controller.abort(new Error('the person changed their mind')))
  let endedAtMs = NaN
  const running = validator.validate(request, controller.signal).then((result) => {
    endedAtMs = clock.monotonicMs()
    return result
  })
  await clock.advance(runLimitMs + 60_000)
  return { result: await running, endedAtMs, timersLeft: clock.timerCount }
}

async function validationOf(checks: Check[]): Promise<Validation> {
  const { result } = await validated(checks)
  if (!result.ok) throw result.error
  return result.value
}

const only = ({ results }: Validation): CheckResult => {
  if (!results[0] || results.length !== 1) throw new Error(`${results.length} results`)
  return results[0]
}

describe('a run of checks', () => {
  it('runs them at the same time and keeps their order', async () => {
    const running = new Set<string>()
    let most = 0
    const clock = new VirtualClock()
    const slow = (name: string, forMs: number) =>
      check(
        async () => {
          most = Math.max(most, running.add(name).size)
          await new Promise<void>((resolve) => clock.after(forMs, resolve))
          return passed(`${name} is well.`)
        },
        { name },
      )
    const validator = validatorOf({
      clock,
      rng: seededRng(1),
      log: silentLog,
      checksOf: () => ok([slow('a', 300), slow('b', 100), slow('c', 200)]),
    })
    const result = validator.validate(request, new AbortController().signal)
    await clock.advance(300)
    const settled = await result
    expect(settled.ok && settled.value.results.map(({ name }) => name)).toEqual(['a', 'b', 'c'])
    expect(settled.ok && settled.value.durationMs).toBe(300)
    expect(most).toBe(3)
  })

  it('tries a failure that may pass again, and counts the attempts', async () => {
    let calls = 0
    const result = only(
      await validationOf([
        check(async () => (++calls < 3 ? failedForNow('Nobody answers.') : passed('It answers.'))),
      ]),
    )
    expect(result).toMatchObject({ outcome: 'passed', attempts: 3 })
    expect(result.durationMs).toBeGreaterThan(0)
  })

  it('gives up after the retries, and never retries what is plainly wrong', async () => {
    expect(only(await validationOf([check(async () => failedForNow('Nobody answers.'))])).attempts).toBe(4)
    expect(only(await validationOf([check(async () => failed('Two tests failed.'))])).attempts).toBe(1)
  })

  it('stops a check that hangs, and repeats it only where that does no harm', async () => {
    const aborted: boolean[] = []
    const hangs: Check['run'] = (signal) =>
      new Promise((resolve) =>
        signal.addEventListener('abort', () => {
          aborted.push(signal.aborted)
          resolve(failed('aborted', 'half of the output'))
        }),
      )
    const probe = only(await validationOf([check(hangs, { timeoutMs: 1000 })]))
    expect(probe).toMatchObject({ outcome: 'failed', attempts: 4, output: 'half of the output' })
    expect(aborted).toHaveLength(4)
    const suite = only(await validationOf([check(hangs, { timeoutMs: 1000, isTimeoutTransient: false })]))
    expect(suite).toMatchObject({ outcome: 'failed', attempts: 1, durationMs: 1000 })
    expect(suite.text).toBe('probe gave no result within 1 s.')
  })

  it('fails a check that throws instead of failing itself', async () => {
    const result = only(
      await validationOf([
        check(() => {
          throw new TypeError('x is undefined')
        }),
      ]),
    )
    expect(result).toMatchObject({ outcome: 'failed', attempts: 1 })
    expect(result.text).toContain('x is undefined')
  })

  it('cuts long output at 64 kB and keeps both its ends', async () => {
    const { output } = only(
      await validationOf([check(async () => passed('Fine.', `first${'ü'.repeat(100_000)}last`))]),
    )
    expect(Buffer.byteLength(output)).toBeLessThanOrEqual(64 * 1024)
    expect(output).toMatch(/^first[^]*bytes left out[^]*last$/)
  })

  it('gives no validation at all when it is stopped, so that nothing can be deployed on it', async () => {
    const { result, endedAtMs, timersLeft } = await validated([check(never, { isCritical: false })], {
      atMs: 5000,
    })
    expect(result.ok ? '' : result.error.code).toBe('UNAVAILABLE')
    expect(endedAtMs).toBeLessThanOrEqual(7000)
    expect(timersLeft).toBe(0)
  })

  it('passes on that the service is not known', async () => {
    const validator = validatorOf({
      clock: new VirtualClock(),
      rng: seededRng(1),
      log: silentLog,
      checksOf: () => fail(new AppError('NOT_FOUND', 'There is no service shop.')),
    })
    const result = await validator.validate(request, new AbortController().signal)
    expect(result.ok ? '' : result.error.code).toBe('NOT_FOUND')
  })
})

const behaviours = fc.constantFrom<(clock: VirtualClock) => Check['run']>(
  () => async () => passed('Well.'),
  () => async () => warned('Doubtful.'),
  () => async () => failed('Wrong.'),
  () => async () => failedForNow('Nobody answers.'),
  () => never,
  () => async () => Promise.reject(new Error('broken')),
  (clock) => () =>
    new Promise(
      (resolve) => void clock.after(40_000, () => resolve(failedForNow('Nobody answers, slowly.'))),
    ),
)
const anyCheck = fc.record({
  behaviour: behaviours,
  isCritical: fc.boolean(),
  timeoutMs: fc.integer({ min: 100, max: 300_000 }),
  retries: fc.integer({ min: 0, max: 10 }),
  isTimeoutTransient: fc.boolean(),
})

describe('whatever checks do', () => {
  it('a run ends within five minutes with a result each, and can be deployed on only without a critical failure', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyCheck, { maxLength: 6 }), fc.integer(), async (drawn, seed) => {
        const clock = new VirtualClock()
        const checks = drawn.map(({ behaviour, ...rest }, i) =>
          check(behaviour(clock), { ...rest, name: `c${i}` }),
        )
        const validator = validatorOf({
          clock,
          rng: seededRng(seed),
          log: silentLog,
          checksOf: () => ok(checks),
        })
        const running = validator.validate(request, new AbortController().signal)
        await clock.advance(runLimitMs)
        // Settled by now: a pending promise loses this race.
        const result = await Promise.race([running, Promise.resolve('still running' as const)])
        if (result === 'still running' || !result.ok) throw new Error('no validation within the limit')
        const { results, canDeploy, durationMs } = result.value
        expect(durationMs).toBeLessThanOrEqual(runLimitMs)
        expect(results.map(({ name }) => name)).toEqual(checks.map(({ name }) => name))
        expect(canDeploy).toBe(results.every(({ critical, outcome }) => !critical || outcome !== 'failed'))
        expect(result.value.passed + result.value.failed + result.value.warnings).toBe(results.length)
        for (const [i, { attempts }] of results.entries())
          expect(attempts).toBeLessThanOrEqual(1 + (checks[i]?.retries ?? 0))
      }),
      { numRuns: 60 },
    )
  })
})
