import { describe, expect, it } from 'vitest'
import { recordsOf } from '../../../../src/contract/index.ts'
import { VirtualClock } from '../../../support/clock.ts'
import { scriptedEngine } from '../../../support/scripted-engine.ts'
import { simulatedHost } from '../../../support/simulated-host.ts'

const running = () => {
  const clock = new VirtualClock()
  const { engine } = scriptedEngine(1, { clock, intervalMs: 1000 })
  engine.start()
  return { clock, engine }
}
const hostIds = (engine: ReturnType<typeof running>['engine']) =>
  recordsOf(engine.live.snapshot(), 'host').map(({ id }) => id)

describe('the hosts of a running engine', () => {
  it('come and go, with their loops, their samples and their state', async () => {
    const { clock, engine } = running()
    await using _ = engine
    const web = simulatedHost('web-1', { clock })
    await clock.advance(3000)
    expect(hostIds(engine)).toEqual(['local'])

    engine.hosts.add(web)
    await clock.advance(3000)
    expect(hostIds(engine)).toEqual(['local', 'web-1'])
    expect(engine.hosts.latest('web-1')).toEqual({ 'cpu.busy': 0.5 })

    await engine.hosts.remove('web-1')
    const rows: string[] = []
    engine.feed.subscribe(({ hostId }) => rows.push(hostId))
    await clock.advance(3000)
    expect(hostIds(engine)).toEqual(['local'])
    expect(new Set(rows)).toEqual(new Set(['local']))
    expect(engine.hosts.source('web-1')).toBeUndefined()
  })

  it('keep their interval when it changes, also those that came later', async () => {
    const { clock, engine } = running()
    await using _ = engine
    engine.hosts.add(simulatedHost('web-1', { clock }))
    await clock.advance(2000)
    await engine.hosts.setInterval(10_000)
    await clock.advance(0)
    const rows: string[] = []
    engine.feed.subscribe(({ hostId }) => rows.push(hostId))
    await clock.advance(60_000)
    const count = (id: string) => rows.filter((hostId) => hostId === id).length
    expect([count('local'), count('web-1')]).toEqual([6, 6])
  })

  it('that are remote and silent turn stale, and leave the engine ready', async () => {
    const { clock, engine } = running()
    await using _ = engine
    const web = simulatedHost('web-1', { clock })
    engine.hosts.add(web)
    await clock.advance(5000)
    web.silence()
    await clock.advance(120_000)
    expect(engine.live.get('hostState:web-1')?.quality.freshness).toBe('stale')
    expect(engine.hosts.checks(0).map(({ name, ok }) => [name, ok])).toEqual([['telemetry of local', true]])
  })

  it('are combined into one health a few times a second, however many they are', async () => {
    const { clock, engine } = running()
    await using _ = engine
    for (let n = 0; n < 50; n++) engine.hosts.add(simulatedHost(`web-${n}`, { clock }))
    await clock.advance(5000)
    let count = 0
    engine.live.subscribe(({ put }) => (count += 'health' in put ? 1 : 0))
    await clock.advance(10_000)
    expect(count).toBeLessThanOrEqual(30)
    expect(count).toBeGreaterThanOrEqual(10)
  })

  it('say with health when the newest sample of any of them was taken: a page needs no figures to know its age', async () => {
    const { clock, engine } = running()
    await using _ = engine
    await clock.advance(5000)
    const before = engine.live.get('health')?.newestSampleMs ?? 0
    expect(clock.nowMs() - before).toBeLessThanOrEqual(1000)
    await clock.advance(5000)
    expect((engine.live.get('health')?.newestSampleMs ?? 0) - before).toBe(5000)
  })
})
