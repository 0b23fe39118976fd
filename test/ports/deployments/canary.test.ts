import { localActor } from '../../../src/contract/index.ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../support/until.ts'
import { Shoppers, Steered } from './steered.ts'

let steered: Steered

beforeAll(async () => {
  steered = await Steered.start()
  const first = await steered.deploy('r1')
  expect((await steered.ended(first.id)).phase).toBe('promoted')
})
afterAll(() => steered[Symbol.asyncDispose]())

describe('a release, shipped by a real engine through the embedded platform under traffic', () => {
  it('that fails requests is rolled back by itself, with the reason in figures and no other request lost', async () => {
    const shoppers = new Shoppers(steered.address)
    const { id } = await steered.deploy('r3')
    const ended = await steered.ended(id)
    expect(ended.phase).toBe('rolled_back')
    expect(ended.reason).toMatch(/r3 fails \d+% of (\d+ )?requests \(stable r1: 0%, limit 1%\)/)
    expect(shoppers.answersOf('r3')).toBeGreaterThan(0)
    expect(await shoppers.stop()).toEqual([])
    const service = await until('all traffic is on r1', async () => {
      const now = await steered.service()
      return now?.weights['r1'] === 100 ? now : undefined
    })
    expect(service).toMatchObject({
      stableReleaseId: 'r1',
      candidateReleaseId: null,
      automationStopped: null,
    })
  })

  it('goes back at once on an emergency, and automation waits until a person resumes it', async () => {
    const shoppers = new Shoppers(steered.address)
    const { id } = await steered.deploy('r2')
    await steered.deployment(id, 'has traffic', ({ phase, weight }) => phase === 'stepping' && weight === 30)
    await until('r2 is asked', () => shoppers.answersOf('r2') > 0 || undefined)
    const [outcome] = await steered.rollBack()
    expect(outcome).toMatchObject({ service: 'shop', ok: true, releaseId: 'r1' })
    // What was in flight when the order came may still end; from the next requests on there are none.
    await until('requests go on', () => shoppers.answersOf('r1') > 0 || undefined)
    const before = shoppers.answersOf('r2')
    const stableBefore = shoppers.answersOf('r1')
    await until('more requests', () => shoppers.answersOf('r1') > stableBefore + 60 || undefined)
    expect(shoppers.answersOf('r2') - before).toBeLessThanOrEqual(3)
    expect((await steered.ended(id)).phase).toBe('rolled_back')
    expect((await steered.service())?.automationStopped).toMatchObject({ by: localActor })
    await expect(steered.deploy('r2')).rejects.toThrow('CONFLICT')
    await steered.call('/services/shop/resume', { why: 'looked at it' })
    expect((await steered.service())?.automationStopped).toBeNull()
    expect(await shoppers.stop()).toEqual([])
  })

  it.each(['dead', 'frozen'] as const)(
    'goes back from the command line while the engine is %s, and the engine keeps to it afterwards',
    async (how) => {
      const shoppers = new Shoppers(steered.address)
      const { id } = await steered.deploy('r2', { weight: 30, holdMs: 600_000 })
      await steered.deployment(id, 'has traffic', ({ phase }) => phase === 'stepping')
      await until('r2 is asked', () => shoppers.answersOf('r2') > 0 || undefined)
      if (how === 'dead') await steered.killEngine()
      else steered.signalEngine('SIGSTOP')
      const { code, stdout, stderr } = await steered.command('rollback', '--all')
      expect(stderr).toContain('The rollback was sent to the edge directly')
      expect(stdout).toMatch(/^ok +shop .* All traffic of shop goes to r1, verified/)
      expect(code).toBe(0)
      const stableBefore = shoppers.answersOf('r1')
      await until('more requests', () => shoppers.answersOf('r1') > stableBefore + 10 || undefined)
      const before = shoppers.answersOf('r2')
      await until('more requests', () => shoppers.answersOf('r1') > stableBefore + 60 || undefined)
      expect(shoppers.answersOf('r2')).toBe(before)
      if (how === 'dead') await steered.startEngine()
      else steered.signalEngine('SIGCONT')
      expect((await steered.ended(id)).phase).toBe('rolled_back')
      await expect(steered.deploy('r2')).rejects.toThrow('CONFLICT')
      await steered.call('/services/shop/resume', { why: 'looked at it' })
      expect(await shoppers.stop()).toEqual([])
    },
  )

  it('that is well is promoted, and everything done is in a whole audit chain', async () => {
    const shoppers = new Shoppers(steered.address)
    const { id } = await steered.deploy('r2')
    const ended = await steered.ended(id)
    expect(ended.phase).toBe('promoted')
    expect(await shoppers.stop()).toEqual([])
    expect((await steered.service())?.stableReleaseId).toBe('r2')
    expect(await steered.call('/audit/verify')).toMatchObject({ isWhole: true, firstBrokenSeq: null })
    const actions = (await steered.call<{ action: string }[]>('/audit')).map(({ action }) => action)
    expect(actions).toContain('deployments.request')
    const compared = await steered.call<{ differences: { path: string }[] }>(
      '/services/shop/compare?from=r1&to=r3',
    )
    expect(compared.differences).toEqual([{ path: 'env.ERRORS', from: '0', to: '0.34' }])
  })
})
