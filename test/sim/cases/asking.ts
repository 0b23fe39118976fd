import type { Result } from '../../../src/base/index.ts'
import type { PlanOptions, Step } from '../../../src/contract/index.ts'
import type { Command, DeploymentController } from '../../../src/engine/deployments/index.ts'
import { must, serviceName, type World } from '../world/world.ts'
import { person } from '../../support/person.ts'

export const step = (weight: number, holdS = 10, more: Partial<Step> = {}): Step => ({
  weight,
  holdMs: holdS * 1000,
  analysis: true,
  gate: false,
  ...more,
})

/** A plan of the size of a test: two steps of 10 s, judged every 5 s. */
export const quick: PlanOptions = {
  steps: [step(10), step(50)],
  metricsEveryMs: 5000,
  limits: { warmUpMs: 0, minSamples: 20, strikes: 2 },
  instances: 2,
  keepStableWarmMs: 10_000,
  progressDeadlineMs: 60_000,
}

/** The answer to something asked of a running engine: time goes on until it is there. */
export async function answered<T>(world: World, asked: Promise<Result<T>>): Promise<Result<T>> {
  let answer: Result<T> | undefined
  void asked.then((result) => (answer = result))
  await world.until(() => answer !== undefined, 120, 'an answer')
  return answer as Result<T>
}

export const deploying = (controller: DeploymentController, releaseId: string, options: PlanOptions = {}) =>
  controller.deploy({
    service: serviceName,
    releaseId,
    options: [quick, options],
    by: person('anna'),
    why: 'a new release',
    expectedRevision: null,
    supersedes: controller.views[0]?.open.at(-1)?.id ?? null,
  })

/** Begins a deployment on a running engine and gives its id. */
export const deploy = async (world: World, releaseId: string, options: PlanOptions = {}): Promise<string> =>
  must(await answered(world, deploying(engineOf(world), releaseId, options)))

export const asking = (world: World, kind: Command['kind'], id = world.newest.id) =>
  answered(
    world,
    engineOf(world).command(id, { kind, by: person('ben'), why: 'because', expectedRevision: null }),
  )

/** A world with r1 stable and an engine that steers it. */
export const steered = async (world: World, instances = 2): Promise<World> => {
  await world.withStable(instances)
  world.start()
  await world.advance(2)
  return world
}

export function engineOf(world: World): DeploymentController {
  if (!world.controller) throw new Error('the engine is dead')
  return world.controller
}

export const atStep = (world: World, index: number): boolean => {
  const { stage } = world.newest
  return stage.kind === 'holding' && stage.step === index
}

export const hasEnded = (world: World) => (): boolean => world.newest.endedAtMs !== null
