import { describe, expect, it } from 'vitest'
import { AppError, fail, ok, silentLog, type Result } from '../../../../src/base/index.ts'
import { serviceDefinitionSchema } from '../../../../src/contract/index.ts'
import { Observer } from '../../../../src/engine/deployments/steering/observer.ts'
import type { PipelineParts, SteeredService } from '../../../../src/engine/deployments/index.ts'
import { VirtualClock } from '../../../support/clock.ts'

const definition = serviceDefinitionSchema.parse({ name: 'shop', listen: {} })
const taken = 'Cannot listen on 127.0.0.1:80: another program uses port 80 (EADDRINUSE)'
const unknown = 'The edge has no service shop.'

/** A platform that is router and target at once, and answers both alike. */
class Platform {
  declared: Result<void> = fail(new AppError('CONFLICT', taken))
  known: Result<void> = fail(new AppError('NOT_FOUND', unknown))
  readonly warnings: unknown[] = []
  readonly clock = new VirtualClock()

  lookout(): Observer {
    const log = { ...silentLog, warn: (_: string, facts: unknown) => void this.warnings.push(facts) }
    const router = {
      declare: async () => (this.declared.ok ? ok({ address: '' }) : this.declared),
      read: async () =>
        this.known.ok
          ? ok({ weights: {}, fallbackReleaseId: null, revision: 1, key: '', emergency: null })
          : this.known,
    }
    const target = {
      declare: async () => this.declared,
      observe: async () => (this.known.ok ? ok({ instances: [], wanted: {} }) : this.known),
    }
    return new Observer(
      { clock: this.clock, log } as unknown as PipelineParts,
      { definition, router, target } as unknown as SteeredService,
    )
  }
}

describe('a definition that the platform refuses', () => {
  it('is told with the reason, once, and not as a service that nobody knows', async () => {
    const platform = new Platform()
    const lookout = platform.lookout()
    for (let look = 0; look < 5; look++) {
      await lookout.look(null)
      expect([lookout.refusal, lookout.trouble]).toEqual([taken, ''])
    }
    expect(platform.warnings).toEqual([{ service: 'shop', part: 'definition', trouble: taken }])
    platform.declared = platform.known = ok(undefined)
    await lookout.look(null)
    expect([lookout.refusal, lookout.trouble]).toEqual(['', ''])
  })

  it('stays told while an earlier one is in force and the platform goes on answering', async () => {
    const platform = new Platform()
    platform.known = ok(undefined)
    const lookout = platform.lookout()
    for (let look = 0; look < 5; look++) {
      await lookout.look(null)
      expect([lookout.refusal, lookout.trouble]).toEqual([taken, ''])
    }
    expect(platform.warnings).toHaveLength(1)
  })

  it('is no refusal where nobody answers, which is said once though router and target are one', async () => {
    const platform = new Platform()
    platform.declared = platform.known = fail(new AppError('UNAVAILABLE', 'The edge cannot be reached.'))
    const lookout = platform.lookout()
    await platform.clock.advance(20_000)
    await lookout.look(null)
    expect([lookout.refusal, lookout.trouble]).toEqual(['', 'The edge cannot be reached.'])
  })

  it('is no trouble at a platform that starts between the declaration and the look', async () => {
    const platform = new Platform()
    platform.declared = fail(new AppError('UNAVAILABLE', 'The edge cannot be reached.'))
    const lookout = platform.lookout()
    await lookout.look(null)
    expect([lookout.refusal, lookout.trouble]).toEqual(['', ''])
    platform.declared = platform.known = ok(undefined)
    await lookout.look(null)
    expect(platform.warnings).toEqual([])
  })
})
