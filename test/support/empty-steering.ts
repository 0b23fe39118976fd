import { AppError, fail, ok } from '../../src/base/index.ts'
import type { Steering } from '../../src/engine/index.ts'

/** An engine without services: nothing to deploy, nothing on record. */
export function emptySteering(): Steering {
  const none = <T>() => Promise.resolve(ok<T[]>([]))
  const absent = () => Promise.resolve(fail(new AppError('NOT_FOUND', 'There is no such thing on record.')))
  return {
    configured: { deploy: {}, services: [] },
    declared: [],
    equip: () => {
      throw new Error('nothing runs here')
    },
    loops: [],
    store: {
      commit: () => Promise.resolve(ok(undefined)),
      services: none,
      declarations: none,
      open: none,
      events: none,
      deployment: absent,
      deployments: none,
      release: absent,
      releases: none,
      bins: none,
      traffic: none,
      keepTraffic: () => Promise.resolve(ok(undefined)),
      audit: none,
      auditFrom: none,
      auditEnd: absent,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    validator: { validate: absent },
    hooks: { run: absent },
    room: () => '',
  }
}
