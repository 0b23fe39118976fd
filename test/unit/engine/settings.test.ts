import { describe, expect, it } from 'vitest'
import { defaultLimits } from '../../../src/engine/telemetry/index.ts'
import { VirtualClock } from '../../support/clock.ts'
import { scriptedEngine } from '../../support/scripted-engine.ts'

describe('a running engine', () => {
  it('takes a changed interval into use at once, and its host stays well', async () => {
    const clock = new VirtualClock()
    await using engine = scriptedEngine(1, { clock, intervalMs: 1000 }).engine
    let count = 0
    engine.feed.subscribe(() => count++)
    engine.start()
    await clock.advance(10_000)
    const failing = () => engine.status.checks().filter(({ ok }) => !ok)
    expect(failing()).toEqual([])

    engine.applySettings({ intervalMs: 60_000, limits: defaultLimits, minHealthScore: 50, timeZone: 'local' })
    await clock.advance(0)
    count = 0
    for (let minute = 0; minute < 10; minute++) {
      await clock.advance(60_000)
      expect(failing()).toEqual([])
      expect(engine.live.get('hostState:local')?.quality.freshness).toBe('fresh')
    }
    expect(count).toBe(10)

    engine.applySettings({ intervalMs: 1000, limits: defaultLimits, minHealthScore: 50, timeZone: 'local' })
    await clock.advance(30_000)
    expect(count).toBeGreaterThan(35)
    expect(failing()).toEqual([])
    const notices = engine.live.get('notices') ?? []
    expect(notices.filter(({ link }) => link.startsWith('/host/'))).toEqual([])
  })

  it('shows in which zone times are wanted, at once when that changes', async () => {
    const clock = new VirtualClock()
    await using engine = scriptedEngine(1, { clock, intervalMs: 1000 }).engine
    engine.start()
    expect(engine.live.get('engine')?.timeZone).toBe('local')
    engine.applySettings({ intervalMs: 1000, limits: defaultLimits, minHealthScore: 50, timeZone: 'utc' })
    expect(engine.live.get('engine')?.timeZone).toBe('utc')
  })

  it('shows a changed environment on itself and its hosts', async () => {
    const clock = new VirtualClock()
    await using engine = scriptedEngine(1, { clock, intervalMs: 1000 }).engine
    engine.start()
    await clock.advance(2000)
    engine.applyEnvironment('production')
    expect(engine.live.get('engine')?.environment).toBe('production')
    expect(engine.live.get('host:local')?.environment).toBe('production')
    expect(engine.status.environment).toBe('production')
    await clock.advance(5000)
    expect(engine.live.get('engine')?.environment).toBe('production')
  })
})
