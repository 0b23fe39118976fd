import { describe, expect, it } from 'vitest'
import { revivalDelaySeconds, takeRevival } from '../../../src/hosts/edge/guard.ts'

describe('the guard of an edge', () => {
  it('starts the next edge at once, and waits longer the more edges crashed in a row', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 50].map(revivalDelaySeconds)).toEqual([0, 1, 2, 4, 8, 16, 30, 30])
  })

  it('tells the next edge once what it holds, and nothing to whom that starts', () => {
    const revival = { crashes: 1, ports: [{ service: 'shop', descriptor: 4 }] }
    const environment = { PILOTHOUSE_EDGE_REVIVED: JSON.stringify(revival) }
    expect(takeRevival(environment)).toEqual(revival)
    expect(environment).toEqual({})
    expect(takeRevival(environment)).toBe(null)
  })
})
