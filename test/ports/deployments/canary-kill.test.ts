import { describe, expect, it } from 'vitest'
import { setTimeout as wait } from 'node:timers/promises'
import { seededRng } from '../../../src/base/index.ts'
import type { Deployment } from '../../../src/contract/index.ts'
import { until } from '../../support/until.ts'
import { Shoppers, Steered } from './steered.ts'

const killCount = 30

describe('the engine, killed at random moments of canaries under traffic', () => {
  it(`loses no request in ${killCount} kills and ends safe each time`, { timeout: 900_000 }, async () => {
    const seed = Number(process.env['PILOTHOUSE_SEED'] ?? Date.now() % 1e6)
    console.log(`seed ${seed}: PILOTHOUSE_SEED=${seed} npm test -- test/ports/deployments/canary-kill`)
    const rng = seededRng(seed)
    await using steered = await Steered.start()
    await steered.ended((await steered.deploy('r1')).id)
    const shoppers = new Shoppers(steered.address)
    let kills = 0
    while (kills < killCount) {
      const stable = (await until('the service is known', () => steered.service())).stableReleaseId
      const candidate = rng.next() < 0.4 ? 'r3' : stable === 'r1' ? 'r2' : 'r1'
      const { id } = await steered.deploy(candidate)
      for (let again = 0; again < 3 && kills < killCount; again++) {
        await wait(rng.next() * 3500)
        await steered.killEngine()
        kills += 1
        await steered.startEngine()
      }
      const ended = await steered.ended(id)
      expect(['promoted', 'rolled_back', 'failed']).toContain(ended.phase)
      if (candidate === 'r3') expect(ended.phase).not.toBe('promoted')
      const service = await until('traffic is at rest', async () => {
        const now = await steered.service()
        return now && now.candidateReleaseId === null && now.weights[now.stableReleaseId ?? ''] === 100
          ? now
          : undefined
      })
      expect(service.stableReleaseId).toBe(ended.phase === 'promoted' ? candidate : stable)
    }
    expect(await shoppers.stop()).toEqual([])
    const deployments = await steered.call<Deployment[]>('/deployments')
    expect(deployments.filter(({ endedAtMs }) => endedAtMs === null)).toEqual([])
    expect(await steered.call('/audit/verify')).toMatchObject({ isWhole: true })
  })
})
