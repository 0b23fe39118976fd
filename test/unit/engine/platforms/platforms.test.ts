import { describe, expect, it } from 'vitest'
import { PlatformRegistry, type Platform } from '../../../../src/engine/platforms/index.ts'
import { definitionOf } from '../../../ports/platform.ts'

const edge = {
  name: 'edge',
  target: {},
  router: {},
  capabilities: { target: { scales: true }, router: { verifiesWeights: false } },
} as unknown as Platform

describe('the registry of platforms', () => {
  it('gives a service the target and the router of the platforms that it names', () => {
    const { target, router, capabilities } = new PlatformRegistry([edge]).equip(definitionOf())
    expect(target).toBe(edge.target)
    expect(router).toBe(edge.router)
    expect(capabilities).toEqual({ scales: true, verifiesWeights: false })
  })

  it('refuses two platforms of one name', () => {
    expect(() => new PlatformRegistry([edge, edge])).toThrow('the same name')
  })

  it('says which platform is missing when nobody composed it', () => {
    expect(() => new PlatformRegistry([]).equip(definitionOf())).toThrow('the platform edge is not part of')
  })
})
