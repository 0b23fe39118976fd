import { describe, expect, it } from 'vitest'
import { edgeCapabilities } from '../../../src/adapters/platforms/edge/index.ts'
import { routerText, targetText } from '../../../src/contract/index.ts'

const { router, target } = edgeCapabilities

describe('what a platform can do, in words', () => {
  it('says that shares are verified, and nothing of what simply works', () => {
    expect(routerText(router)).toEqual(['Traffic shares are verified: each is read back from the router'])
  })

  it('says what a missing capability of a router means', () => {
    const none = {
      verifiesWeights: false,
      keepsConnections: false,
      routesByHeader: false,
      webSockets: false,
      countsRequests: false,
    }
    expect(routerText(none)).toEqual([
      expect.stringContaining('Traffic shares are not verified'),
      expect.stringContaining('requests in flight may fail'),
      expect.stringContaining('No step can be judged'),
      expect.stringContaining('by header or cookie'),
      expect.stringContaining('WebSockets do not work'),
    ])
  })

  it('says what instances share, and where there is only one', () => {
    expect(targetText(target)).toEqual([expect.stringContaining('Instances are not isolated')])
    expect(targetText({ scales: false, isolatesInstances: true })).toEqual([
      expect.stringContaining('one instance'),
    ])
  })
})
