import { describe, expect, it, onTestFinished } from 'vitest'
import { AppError, seededRng, silentLog, sleep, type Log } from '../../../../src/base/index.ts'
import { Supervisor, type Loop, type SupervisorOptions } from '../../../../src/engine/core/index.ts'
import { VirtualClock } from '../../../support/clock.ts'

const never = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

function supervise(options: Partial<SupervisorOptions> = {}) {
  const clock = new VirtualClock()
  const supervisor = new Supervisor({ clock, rng: seededRng(1), log: silentLog, ...options })
  onTestFinished(async () => {
    const stopped = supervisor.stop()
    await clock.advance(60_000)
    await stopped
  })
  const check = (name = 'loop') => supervisor.checks().find((each) => each.name === name)
  return { clock, supervisor, check }
}

/** A loop that fails at once, each time, and remembers when it was started. */
function failing(clock: VirtualClock, fail: () => Promise<void>) {
  const startedAt: number[] = []
  const loop: Loop = {
    name: 'loop',
    run: () => {
      startedAt.push(clock.monotonicMs())
      return fail()
    },
  }
  return { loop, startedAt }
}

describe('a loop that is no longer needed', () => {
  it('is ended and forgotten, its end is no failure, and its name is free again', async () => {
    const { clock, supervisor, check } = supervise()
    let runs = 0
    const loop: Loop = {
      name: 'loop',
      run: (signal) => {
        runs += 1
        return never(signal)
      },
    }
    supervisor.add(loop)
    await supervisor.remove('loop')
    await supervisor.remove('nobody')
    await clock.advance(60_000)
    expect(check()).toBeUndefined()
    expect(runs).toBe(1)
    supervisor.add(loop)
    expect(check()).toMatchObject({ ok: true })
  })

  it('is not started again when it waited for its restart', async () => {
    const { clock, supervisor } = supervise()
    const { loop, startedAt } = failing(clock, () => Promise.reject(new Error('no')))
    supervisor.add(loop)
    await clock.advance(1)
    await supervisor.remove('loop')
    await clock.advance(60_000)
    expect(startedAt).toHaveLength(1)
  })
})

describe('a supervised loop', () => {
  it('is ok since its start while it runs', async () => {
    const { clock, supervisor, check } = supervise()
    const start = clock.nowMs()
    supervisor.add({ name: 'loop', run: never })
    await clock.advance(60_000)
    expect(check()).toEqual({ name: 'loop', ok: true, text: 'running', sinceMs: start })
  })

  it.each([
    [
      'rejects',
      () => Promise.reject(new AppError('UNAVAILABLE', 'the disk is on fire')),
      'the disk is on fire',
    ],
    [
      'throws before it gives a promise',
      () => {
        throw new Error('the disk is on fire')
      },
      'the disk is on fire',
    ],
    [
      'throws something that is no error',
      () => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- what a careless library does
        throw 'smoke'
      },
      'smoke',
    ],
    ['returns although nobody stopped it', () => Promise.resolve(), 'it ended although nothing stopped it'],
  ])('that %s is started again and shows why, and since when', async (_how, fail, sentence) => {
    const { clock, supervisor, check } = supervise()
    const { loop, startedAt } = failing(clock, fail)
    supervisor.add(loop)
    await clock.advance(0)
    const failedAt = clock.nowMs()
    expect(check()).toMatchObject({ ok: false, sinceMs: failedAt })
    expect(check()?.text).toContain(sentence)
    await clock.advance(120_000)
    expect(startedAt.length).toBeGreaterThan(3)
    expect(check()).toMatchObject({ ok: false, sinceMs: failedAt })
  })

  it('waits longer after each failure in a row, by chance within a half, up to the cap', async () => {
    const { clock, supervisor } = supervise({ firstBackoffMs: 1000, maxBackoffMs: 8000 })
    const { loop, startedAt } = failing(clock, () => Promise.reject(new Error('no')))
    supervisor.add(loop)
    await clock.advance(60_000)
    const waits = startedAt.slice(1).map((at, i) => at - (startedAt[i] ?? 0))
    const ceilings = waits.map((_, i) => Math.min(8000, 1000 * 2 ** i))
    waits.forEach((wait, i) => {
      expect(wait).toBeGreaterThanOrEqual((ceilings[i] ?? 0) / 2)
      expect(wait).toBeLessThanOrEqual(ceilings[i] ?? 0)
    })
    expect(new Set(waits.slice(3)).size).toBeGreaterThan(1)
  })

  it('spreads the restarts of loops that failed together', async () => {
    const { clock, supervisor } = supervise()
    const loops = ['a', 'b', 'c'].map((name) => {
      const { loop, startedAt } = failing(clock, () => Promise.reject(new Error('no')))
      supervisor.add({ ...loop, name })
      return startedAt
    })
    await clock.advance(2000)
    expect(new Set(loops.map((startedAt) => startedAt[1])).size).toBe(3)
  })

  it('stays degraded after its restart until it has lived long enough, then is ok with a fresh backoff', async () => {
    const { clock, supervisor, check } = supervise({ firstBackoffMs: 1000, provenAfterMs: 15_000 })
    const startedAt: number[] = []
    let lives = [0, 0, 0, 20_000, 0]
    supervisor.add({
      name: 'loop',
      run: async (signal) => {
        startedAt.push(clock.monotonicMs())
        const [life, ...rest] = lives
        lives = rest
        if (life === undefined) return never(signal)
        await sleep(clock, life, signal)
        throw new Error('no')
      },
    })
    while (startedAt.length < 4) await clock.advance(100)
    expect(check()).toMatchObject({ ok: false, text: 'restarted after: no' })
    await clock.advance(16_000)
    expect(check()).toMatchObject({ ok: true, text: 'running' })
    while (startedAt.length < 5) await clock.advance(100)
    const waitMs = (startedAt[4] ?? 0) - (startedAt[3] ?? 0) - 20_000
    expect(waitMs).toBeLessThanOrEqual(1000)
  })

  it('of a failed run is aborted, so that nothing of it goes on behind the new run', async () => {
    const { clock, supervisor } = supervise()
    const signals: AbortSignal[] = []
    supervisor.add({
      name: 'loop',
      run: (signal) => {
        signals.push(signal)
        return signals.length === 1 ? Promise.reject(new Error('no')) : never(signal)
      },
    })
    await clock.advance(5000)
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
  })

  it('without a beat within its deadline shows as stalled, and recovers with the next beat', async () => {
    const { clock, supervisor, check } = supervise()
    let beat = () => {}
    supervisor.add({
      name: 'loop',
      deadlineMs: 3000,
      run: (signal, heart) => {
        beat = () => heart.beat()
        return never(signal)
      },
    })
    await clock.advance(3000)
    expect(check()?.ok).toBe(true)
    await clock.advance(1000)
    expect(check()).toMatchObject({ ok: false, text: 'stalled: no progress for more than 3 s' })
    beat()
    expect(check()).toMatchObject({ ok: true, sinceMs: clock.nowMs() })
  })

  it('does not count the beats of a run that has failed', async () => {
    const { clock, supervisor, check } = supervise({ firstBackoffMs: 10 })
    const beats: (() => void)[] = []
    supervisor.add({
      name: 'loop',
      deadlineMs: 3000,
      run: (signal, heart) => {
        beats.push(() => heart.beat())
        return beats.length === 1 ? Promise.reject(new Error('no')) : never(signal)
      },
    })
    await clock.advance(3500)
    beats[0]?.()
    expect(check()?.text).toContain('stalled')
  })

  it('leaves the other loops alone when it fails', async () => {
    const { clock, supervisor, check } = supervise()
    supervisor.add({ name: 'bad', run: () => Promise.reject(new Error('no')) })
    supervisor.add({ name: 'good', run: never })
    await clock.advance(10_000)
    expect([check('bad')?.ok, check('good')?.ok]).toEqual([false, true])
  })
})

describe('the readiness checks', () => {
  it('are told to listeners on each change, also when somebody looked in between', async () => {
    const { clock, supervisor } = supervise()
    const told: string[] = []
    supervisor.subscribe((checks) => {
      supervisor.checks()
      told.push(checks.map(({ ok, text }) => `${ok} ${text}`).join())
    })
    let runs = 0
    supervisor.add({
      name: 'loop',
      run: (signal) => (++runs === 1 ? Promise.reject(new Error('no')) : never(signal)),
    })
    for (let second = 0; second < 30; second++) {
      await clock.advance(1000)
      supervisor.checks()
    }
    expect(told).toEqual([
      'true running',
      'false failed and is about to restart: no',
      'false restarted after: no',
      'true running',
    ])
  })

  it('reach the other listeners when one throws', async () => {
    const lines: string[] = []
    const log: Log = { ...silentLog, error: (message) => lines.push(message) }
    const { supervisor } = supervise({ log })
    let toldCount = 0
    supervisor.subscribe(() => {
      throw new Error('a bug')
    })
    supervisor.subscribe(() => toldCount++)
    supervisor.add({ name: 'loop', run: never })
    expect(toldCount).toBe(1)
    expect(lines).toEqual(['a listener of the readiness checks failed'])
  })
})

describe('stopping', () => {
  it('ends every loop, waits for it and leaves no timer', async () => {
    const { clock, supervisor } = supervise()
    const ended: string[] = []
    supervisor.add({
      name: 'slow',
      run: async (signal) => {
        await never(signal)
        await sleep(clock, 2000)
        ended.push('slow')
      },
    })
    supervisor.add({ name: 'failing', run: () => Promise.reject(new Error('no')) })
    await clock.advance(100)
    let isStopped = false
    const stopped = supervisor.stop().then(() => (isStopped = true))
    await clock.advance(1000)
    expect(isStopped).toBe(false)
    await clock.advance(1000)
    await stopped
    expect(ended).toEqual(['slow'])
    expect(clock.timerCount).toBe(0)
    expect(supervisor.checks().map(({ ok, text }) => [ok, text])).toEqual([
      [false, 'stopped'],
      [false, 'stopped'],
    ])
  })

  it('takes the rejection of an aborted loop for its end, not for a failure', async () => {
    const lines: string[] = []
    const { clock, supervisor } = supervise({
      log: { ...silentLog, error: (message) => lines.push(message) },
    })
    supervisor.add({ name: 'loop', run: (signal) => sleep(clock, 1e9, signal) })
    await clock.advance(1000)
    await supervisor.stop()
    await clock.advance(60_000)
    expect(lines).toEqual([])
    expect(clock.timerCount).toBe(0)
  })

  it('does not wait for ever for a loop that ignores its signal, and names it', async () => {
    const lines: unknown[] = []
    const log: Log = { ...silentLog, error: (message, fields) => lines.push([message, fields]) }
    const { clock, supervisor, check } = supervise({ log, stopWithinMs: 5000 })
    supervisor.add({ name: 'deaf', run: () => new Promise(() => {}) })
    const stopped = supervisor.stop()
    await clock.advance(5000)
    await stopped
    expect(lines).toEqual([['a loop ignored its signal and was left behind', { loop: 'deaf' }]])
    expect(check('deaf')).toMatchObject({ ok: false, text: 'is not stopping' })
  })
})
