import { describe, expect, it, vi } from 'vitest'
import type { LiveRecords, RollbackOutcome } from '../../../src/contract/index.ts'

vi.mock('electron', () => import('../../support/electron/index.ts'))
const { newsOf, waysBack } = await import('../../../electron/emergency.ts')

const service = (name: string, candidateReleaseId: string | null, stableReleaseId: string | null) => ({
  [`service:${name}`]: { name, candidateReleaseId, stableReleaseId, environment: 'production' },
})
const outcome = (name: string, ok: boolean): RollbackOutcome => ({
  service: name,
  ok,
  releaseId: ok ? 'r1' : null,
  fromReleaseId: 'r2',
  tookMs: 12.4,
  text: ok ? `All traffic of ${name} goes to r1, verified` : `The router did not answer for ${name}`,
})

describe('the ways back that the panel offers', () => {
  it('are those of services with a candidate and something to go back to, by name', () => {
    const records = {
      ...service('search', 'r9', 'r8'),
      ...service('cart', null, 'r1'),
      ...service('catalog', 'r2', 'r1'),
      ...service('first', 'r1', null),
    } as unknown as Partial<LiveRecords>
    expect(waysBack(records)).toEqual([
      { service: 'catalog', from: 'r2', to: 'r1', environment: 'production' },
      { service: 'search', from: 'r9', to: 'r8', environment: 'production' },
    ])
  })
})

describe('what is told of an emergency rollback', () => {
  it('names the one service, with the time it took, and leads to it', () => {
    expect(newsOf([outcome('cart', true)])).toEqual({
      title: 'Rolled back: cart',
      isUrgent: false,
      text: 'All traffic of cart goes to r1, verified (12 ms)',
      path: '/services/cart',
    })
  })

  it('begins with what failed, and is urgent then', () => {
    const news = newsOf([outcome('cart', true), outcome('search', false)])
    expect(news).toMatchObject({ title: 'Not rolled back: search', isUrgent: true, path: '/services' })
    expect(news.text.split('\n')[0]).toContain('did not answer for search')
  })

  it('says so when there was nothing to do', () => {
    expect(newsOf([]).title).toBe('There was nothing to roll back')
  })
})
