import { AppError, fail, ok, type Result } from '../../../src/base/index.ts'
import { SimRouter } from '../../sim/world/sim-router.ts'
import { SimTarget, wellBehaved } from '../../sim/world/sim-target.ts'
import { SimClock } from '../../sim/world/sim-clock.ts'
import type { Offers, PlatformUnderTest } from '../platform.ts'

/** The double keeps the books of both ports. No process runs and no client reaches it. */
export const memoryOffers: Offers = {
  servesClients: false,
  runsProcesses: false,
  scales: true,
  isolatesInstances: true,
  verifiesWeights: true,
  keepsConnections: true,
  routesByHeader: false,
  webSockets: false,
  countsRequests: true,
}

const secondMs = 10

/** The platform of the simulations, with seconds that pass by themselves. */
export function openMemory(): Promise<PlatformUnderTest> {
  const clock = new SimClock()
  const target = new SimTarget()
  const router = new SimRouter(clock, target)
  const declared = new Set<string>()
  const ticking = setInterval(() => target.second(), secondMs)
  const known = <T>(service: string, act: () => Result<T>): Promise<Result<T>> =>
    Promise.resolve(declared.has(service) ? act() : fail(new AppError('NOT_FOUND', `no service ${service}`)))
  const unsupported = () => Promise.resolve(fail(new AppError('UNSUPPORTED', 'the double runs no process')))
  return Promise.resolve({
    target: {
      declare: ({ name }) => {
        declared.add(name)
        return Promise.resolve(ok(undefined))
      },
      ensure: (request) =>
        known(request.service, () => {
          const { id, artifact } = request.release
          if (artifact.env['MODE'] === 'never-healthy')
            target.behaviours.set(id, { ...wellBehaved, readyAfterS: null })
          return target.ensure(request)
        }),
      observe: (service) => known(service, () => ok(target.report())),
      remove: (request) => known(request.service, () => target.remove(request)),
      withdraw: (service) => {
        declared.delete(service)
        return Promise.resolve(ok(undefined))
      },
      restart: unsupported,
      logs: unsupported,
    },
    router: {
      declare: ({ name }) => {
        declared.add(name)
        return Promise.resolve(ok({ address: 'http://127.0.0.1:1' }))
      },
      read: (service) => known(service, () => ok(router.report)),
      withdraw: (service) => {
        declared.delete(service)
        return Promise.resolve(ok(undefined))
      },
      set: (request) => known(request.service, () => router.set(request)),
      emergency: (orders) =>
        Promise.all(orders.map((order) => known(order.service, () => router.emergency(order)))),
      bins: (service, cursor) => known(service, () => router.bins(cursor)),
    },
    killAndRestart: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => {
      clearInterval(ticking)
      return Promise.resolve()
    },
  })
}
