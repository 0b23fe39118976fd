import { describe, expect, it } from 'vitest'
import { AppError, fail, ok, type Result } from '../../../../src/base/index.ts'
import { Declarations, type DeclaringStores } from '../../../../src/engine/services/declarations.ts'
import type { Declaration, DeclarationChange } from '../../../../src/engine/services/index.ts'
import type { Equip, ServiceRegistry } from '../../../../src/engine/services/registry.ts'
import { VirtualClock } from '../../../support/clock.ts'
import { person } from '../../../support/person.ts'

const declared: Declaration = {
  service: 'cart',
  written: {},
  by: person('ann'),
  atMs: 1,
  revision: 1,
  isLeaving: false,
}

describe('a service that is declared', () => {
  it('may not listen where another service or Pilothouse itself does', async () => {
    const registry = {
      isConfigured: () => false,
      names: ['shop'],
      find: () => ({ definition: { listen: { host: '0.0.0.0', port: 8080 } } }),
      server: { host: 'localhost', port: 7780 },
    } as unknown as ServiceRegistry
    const parts = {
      clock: new VirtualClock(),
      stores: {} as DeclaringStores,
      registry,
      warn: () => undefined,
    }
    using declarations = new Declarations({ ...parts, equip: (() => ({})) as unknown as Equip }, [])
    const declare = (port: number) =>
      declarations.declare({
        service: 'cart',
        written: { listen: { port } },
        by: person('ann'),
        why: '',
        expectedRevision: null,
      })
    expect(await declare(8080)).toMatchObject({
      error: { code: 'CONFLICT', message: 'shop already listens on 127.0.0.1:8080' },
    })
    expect(await declare(7780)).toMatchObject({
      error: { code: 'CONFLICT', message: expect.stringContaining('server.port') as string },
    })
  })
})

describe('a service that is removed', () => {
  it('goes though the store is locked when its last instance has gone', async () => {
    const clock = new VirtualClock()
    const dropped: string[] = []
    let failures = 1
    const stores = {
      services: { find: () => Promise.resolve(ok(null)) },
      deployments: { list: () => Promise.resolve(ok([])) },
      work: {
        commit: (changes: readonly { kind: string }[]): Promise<Result<void>> => {
          const drops = (changes as DeclarationChange[]).filter((each) => each.kind === 'dropDeclaration')
          if (drops.length > 0 && failures-- > 0)
            return Promise.resolve(fail(new AppError('STORE_BUSY', 'The state database is locked')))
          dropped.push(...drops.map(({ service }) => service))
          return Promise.resolve(ok(undefined))
        },
      },
    } as Partial<DeclaringStores> as DeclaringStores
    const withdraw = () => Promise.resolve(ok(undefined))
    const equip = (() => ({ router: { withdraw }, target: { withdraw } })) as unknown as Equip
    const registry = {
      isConfigured: () => false,
      declare: () => Promise.resolve(),
    } as unknown as ServiceRegistry
    using declarations = new Declarations({ clock, stores, registry, equip, warn: () => undefined }, [
      declared,
    ])
    expect(await declarations.remove('cart', person('ann'), 'not needed')).toMatchObject({
      ok: false,
      error: { code: 'STORE_BUSY', message: expect.stringContaining('This is retried') as string },
    })
    expect(declarations.isLeaving).toBe(true)
    await clock.advance(10_000)
    expect(declarations.find('cart')).toBeUndefined()
    expect(dropped).toEqual(['cart'])
    expect(clock.timerCount).toBe(0)
  })
})
