import { describe, expect, it, vi } from 'vitest'
import type { RollbackOutcome } from '../../../src/contract/index.ts'

vi.mock('electron', () => import('../../support/electron/index.ts'))
const { newsOf } = await import('../../../electron/emergency.ts')

const outcome = (name: string, ok: boolean): RollbackOutcome => ({
  service: name,
  ok,
  releaseId: ok ? 'r1' : null,
  fromReleaseId: 'r2',
  tookMs: 12.4,
  text: ok ? `All traffic of ${name} goes to r1, verified` : `The router did not answer for ${name}`,
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

  it('names the next command where it was refused', () => {
    const refused = { ...outcome('cart', false), nextCommand: 'pilothouse deployments undo cart' }
    expect(newsOf([refused]).text).toContain('Run: pilothouse deployments undo cart')
  })

  it('says so when there was nothing to do', () => {
    expect(newsOf([]).title).toBe('There was nothing to roll back')
  })
})
