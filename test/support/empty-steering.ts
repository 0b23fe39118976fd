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
    stores: {
      work: { commit: () => Promise.resolve(ok(undefined)) },
      services: { find: () => Promise.resolve(ok(null)) },
      declarations: { all: none },
      traffic: { minutesOf: none },
      releases: { find: absent, newest: none },
      deployments: { openOf: none, eventsOf: none, find: absent, list: none },
      evidence: { binsOf: none },
      audit: { audit: none, auditFrom: none, auditEnd: absent },
    },
    validator: { validate: absent },
    hooks: { run: absent },
    room: () => '',
  }
}
