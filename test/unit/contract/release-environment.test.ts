import { describe, expect, it } from 'vitest'
import { releaseEnvironment } from '../../../src/contract/index.ts'

describe('the environment of a release', () => {
  const names = { service: 'shop', releaseId: 'r1', instanceId: 'r1-a', port: 4000 }

  it('inherits what every program needs and no secret of whoever starts it', () => {
    const own = {
      PATH: '/bin',
      HOME: '/home/a',
      LC_ALL: 'C',
      DATABASE_PASSWORD: 'secret',
      PILOTHOUSE_SERVER__TOKEN__ENV: 'secret',
    }
    const release = {
      parameters: { LEVEL: 'one', BOTH: 'parameter' },
      artifact: { kind: 'command' as const, argv: ['run'], env: { BOTH: 'artifact', PORT: '1' } },
    }
    expect(releaseEnvironment(own, release, names)).toEqual({
      PATH: '/bin',
      HOME: '/home/a',
      LC_ALL: 'C',
      LEVEL: 'one',
      BOTH: 'artifact',
      PORT: '4000',
      PILOTHOUSE_SERVICE: 'shop',
      PILOTHOUSE_RELEASE: 'r1',
      PILOTHOUSE_INSTANCE: 'r1-a',
    })
  })

  it('names the edge of an instance and the content of its release, which nothing can override', () => {
    const edge = { directory: '/data/edge', content: 'abc' }
    const release = {
      parameters: { PILOTHOUSE_EDGE: '/other' },
      artifact: { kind: 'command' as const, argv: ['run'], env: {} },
    }
    expect(releaseEnvironment({}, release, { ...names, edge })).toMatchObject({
      PILOTHOUSE_EDGE: '/data/edge',
      PILOTHOUSE_CONTENT: 'abc',
    })
  })
})
