import { expect, it } from 'vitest'
import type { Hook, PlanOptions } from '../../../src/contract/index.ts'
import { serviceName, World } from '../world/world.ts'
import { answered, asking, atStep, deploy, engineOf, hasEnded, steered, step } from './asking.ts'
import { person } from '../../support/person.ts'

const tell = (phase: Hook['phase']): Hook => ({
  name: phase,
  when: 'after',
  phase,
  run: { kind: 'script', argv: ['true'] },
  timeoutMs: 1000,
  onFailure: 'continue',
})
const told: PlanOptions = { hooks: [tell('promoting'), tell('rolling_back')], keepStableWarmMs: 20_000 }
const asked = { by: person('anna'), why: '', expectedRevision: null, supersedes: null }

const reach = async (world: World, options: PlanOptions = {}) => {
  await deploy(world, 'r2', { ...told, ...options })
  await world.until(() => atStep(world, 0))
}
const warm = async (world: World) => {
  await deploy(world, 'r2', told)
  await world.until(() => world.newest.stage.kind === 'warm' && world.newest.pendingHooks.length === 0)
}

/** Every way in which a deployment ends, and what the last hook of it is told as the reason. */
const outcomes: [string, (world: World) => Promise<unknown>, RegExp][] = [
  ['promoted', warm, /^r2 has all traffic; r1 is kept warm/],
  [
    'rolled back by the judge',
    async (world) => {
      world.behave('r2', { errorRatio: 1 })
      await reach(world)
    },
    /^r2 fails 100%/,
  ],
  [
    'failed: never healthy',
    async (world) => {
      world.behave('r2', { readyAfterS: null })
      await deploy(world, 'r2', { ...told, progressDeadlineMs: 15_000 })
    },
    /^0 of 2 instances of r2 became healthy/,
  ],
  [
    'aborted without a word',
    async (world) => {
      await reach(world)
      await answered(world, engineOf(world).command(world.newest.id, { kind: 'abort', ...asked }))
    },
    /^anna aborted it$/,
  ],
  [
    'aborted with a word',
    async (world) => {
      await reach(world)
      await asking(world, 'abort')
    },
    /^because$/,
  ],
  [
    'superseded',
    async (world) => {
      await reach(world, { steps: [step(10, 60)] })
      await deploy(world, 'r3')
    },
    /^r3 supersedes it$/,
  ],
  [
    'emergency',
    async (world) => {
      await reach(world)
      void engineOf(world).emergency([serviceName], person('anna'), '')
      await world.advance(2)
    },
    /^anna started an emergency rollback$/,
  ],
  [
    'undone while the old release is warm',
    async (world) => {
      await warm(world)
      await answered(world, engineOf(world).undo({ service: serviceName, ...asked }))
    },
    /^anna aborted it$/,
  ],
  [
    'undone when the old release has stopped',
    async (world) => {
      await warm(world)
      await world.until(hasEnded(world))
      await answered(world, engineOf(world).undo({ service: serviceName, ...asked }))
      await world.until(() => world.newest.stage.kind === 'warm')
    },
    /^r1 has all traffic$/,
  ],
]

it.each(outcomes)('a hook is told why: %s', async (_name, happen, reason) => {
  const world = await steered(new World())
  await happen(world)
  await world.until(hasEnded(world), 300)
  const last = world.hookContexts.findLast(({ when }) => when === 'after')
  expect(last?.reason).toMatch(reason)
  for (const deployment of world.store.deployments.values()) expect(deployment.reason).not.toBe('')
})
