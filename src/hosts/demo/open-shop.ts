import { AppError, Disposables, sleep, type Clock } from '../../base/index.ts'
import type { EngineCalls } from '../cli/operations/index.ts'
import { demoServices, firstRelease, type DemoService } from './demo-config.ts'
import type { DemoPlace } from './demo-directory.ts'
import { sendVisitors } from './visitors.ts'

/** Time between two looks at a deployment. */
const lookEveryMs = 250
const visitorsPerSecond = 20

/**
 * Deploys the first release of each service through the engine, then lets visitors in until it is disposed. Throws
 * AppError when a service cannot be opened.
 */
export async function openShop(
  { ports }: DemoPlace,
  { engine, clock, signal }: { engine: EngineCalls; clock: Clock; signal: AbortSignal },
): Promise<AsyncDisposable> {
  await Promise.all(demoServices.map((service) => openService(service, engine, clock, signal)))
  const held = new Disposables()
  held.use(sendVisitors(ports, { perSecond: visitorsPerSecond, seed: 1 }))
  return held
}

async function openService(
  service: DemoService,
  engine: EngineCalls,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const { id } = await engine.deployments.start({
    service,
    releaseId: firstRelease,
    why: 'the demo shop is opening',
    options: {},
  })
  for (;;) {
    const { phase, reason } = await engine.deployments.get({ id })
    if (phase === 'promoted') return
    if (phase === 'failed' || phase === 'rolled_back' || phase === 'paused')
      throw new AppError('UNAVAILABLE', `${service} could not be opened: ${reason}`)
    await sleep(clock, lookEveryMs, signal)
  }
}
