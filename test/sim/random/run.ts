import { seededRng, type Rng } from '../../../src/base/index.ts'
import type { Deployment, Hook, PlanOptions, Step } from '../../../src/contract/index.ts'
import { hasEnded } from '../../../src/engine/deployments/index.ts'
import type { Fault, Part } from '../world/faults.ts'
import type { Behaviour } from '../world/sim-target.ts'
import { serviceName, World } from '../world/world.ts'
import { person } from '../../support/person.ts'

/** Chance as the schedules need it. */
class Dice {
  readonly #rng: Rng
  constructor(seed: number) {
    this.#rng = seededRng(seed)
  }

  chance(p: number): boolean {
    return this.#rng.next() < p
  }

  /** From `least` up to and without `most`. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.#rng.next() * (most - least))
  }

  one<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#rng.next() * choices.length)] as T
  }
}

/** How long faults and people go on, and how long the world may take to come to rest after them, s. */
const stormS = 90
const calmS = 400

/**
 * One life of a service under chance: releases of every kind are deployed by people who change their minds, while engines are killed
 * and restarted, calls are refused, lost or late, parts of the world die for a while, clocks jump and the machine sleeps. Then all
 * of that ends, and everything must come to rest. Throws with what went wrong.
 */
export async function runSeed(seed: number, world = new World()): Promise<World> {
  const dice = new Dice(seed)
  const releases = ['r2', 'r3', 'r4']
  for (const id of releases) world.behave(id, behaviour(dice))
  const crashing = releases.filter((id) => world.target.behaviour(id).exitsEveryS !== null)
  await world.withStable(dice.whole(1, 3), releases)
  world.checksTakeMs = dice.whole(100, 4000)
  world.hookFails = () => dice.chance(0.15)
  world.checksPass = !dice.chance(0.05)
  world.declare(dice.whole(1, 4))
  world.start()
  const storm = new Storm(world, dice)
  for (let second = 0; second < stormS; second++) {
    askAround(world, dice, second)
    storm.second()
    await world.advance(1)
  }
  await calm(world, storm)
  await rescale(world, dice)
  for (const id of crashing)
    if ([...world.store.deployments.values()].some(isPromotionOf(id)))
      throw new Error(`${id} exits every 4 s and was promoted\n${world.describe()}`)
  return world
}

/** What a person promotes without further steps is promoted on their word. */
const isPromotionOf =
  (releaseId: string) =>
  ({ candidateReleaseId, phase, log }: Deployment): boolean =>
    candidateReleaseId === releaseId &&
    phase === 'promoted' &&
    !log.some(({ text }) => text.includes(' without further steps'))

function behaviour(dice: Dice): Partial<Behaviour> {
  return dice.one<() => Partial<Behaviour>>([
    () => ({}),
    () => ({}),
    () => ({ errorRatio: dice.one([0.02, 0.05, 0.3, 1]) }),
    () => ({ latencySlot: 64 }),
    () => ({ readyAfterS: null }),
    () => ({ readyAfterS: dice.whole(3, 25) }),
    () => ({ hangs: true }),
    () => ({ diesAfterS: dice.whole(4, 40) }),
    () => ({ exitsEveryS: 4, readyAfterS: 1 }),
    () => ({ abandonedRatio: dice.one([0.1, 0.5, 1]) }),
    () => ({ divertedRatio: dice.one([0.05, 0.3, 1]) }),
  ])()
}

function planOptions(dice: Dice): PlanOptions {
  const weights = dice.one([[10], [5, 50], [10, 25, 50], [50, 100], [100]])
  const metricsEveryMs = dice.one([2000, 5000])
  const steps = weights.map((weight): Step => ({
    weight,
    holdMs: dice.whole(metricsEveryMs / 1000, 13) * 1000,
    analysis: dice.chance(0.85),
    gate: dice.chance(0.1),
  }))
  const hooks = dice.chance(0.3)
    ? [
        hook(dice, 'first', dice.one(['before', 'after'])),
        hook(dice, 'second', dice.one(['before', 'after'])),
      ]
    : []
  return {
    steps,
    metricsEveryMs,
    limits: {
      warmUpMs: dice.one([0, 3000]),
      minSamples: dice.one([10, 50]),
      strikes: dice.whole(1, 4),
      onNoData: dice.one(['pause', 'promote', 'rollback']),
      onNoTraffic: dice.one(['pause', 'promote', 'rollback']),
    },
    instances: dice.whole(1, 4),
    startAtOnce: dice.whole(1, 3),
    progressDeadlineMs: dice.one([15_000, 40_000]),
    maxTimeMs: dice.one([60_000, 300_000]),
    keepStableWarmMs: dice.one([0, 5000, 20_000]),
    onFailure: dice.chance(0.8) ? 'rollback' : 'pause',
    onInconclusive: dice.one(['pause', 'promote', 'rollback']),
    skipAnalysis: dice.chance(0.05),
    isFix: dice.chance(0.05),
    hooks,
    ...(dice.chance(0.2) ? { resources: { maxCpuRatio: 0.8 } } : {}),
  }
}

const hook = (dice: Dice, name: string, when: Hook['when']): Hook => ({
  name,
  when,
  phase: dice.one(['validating', 'staging', 'stepping', 'promoting', 'rolling_back']),
  run: { kind: 'script', argv: ['true'] },
  timeoutMs: 1000,
  onFailure: dice.one(['continue', 'pause', 'rollback']),
})

/** Somebody who asks for something now and then, and sometimes for two things at once. */
function askAround(world: World, dice: Dice, second: number): void {
  const { controller } = world
  const isBeginning = second === 2
  if (!isBeginning && !dice.chance(0.08)) return
  if (!controller) {
    // The engine is dead: a command line can still reach the router.
    if (dice.chance(0.1)) world.router.emergency({ service: serviceName, key: `cli:${second}` })
    return
  }
  const by = person(dice.one(['anna', 'ben']))
  const why = 'the dice say so'
  const id = [...world.store.events.keys()].at(-1)
  const command = (kind: 'pause' | 'resume' | 'skip' | 'promote' | 'abort') => () =>
    id === undefined ? undefined : controller.command(id, { kind, by, why, expectedRevision: null })
  // Now and then somebody does not look who is at it already.
  const seen = { expectedRevision: null, supersedes: dice.chance(0.8) ? (id ?? null) : null }
  const deploy = () =>
    controller.deploy({
      service: serviceName,
      releaseId: dice.one(['r1', 'r2', 'r3', 'r4']),
      options: [planOptions(dice)],
      by,
      why,
      ...seen,
    })
  const wish = isBeginning
    ? deploy
    : dice.one<() => unknown>([
        deploy,
        deploy,
        command('pause'),
        command('resume'),
        command('resume'),
        command('skip'),
        command('promote'),
        command('abort'),
        () => controller.undo({ service: serviceName, by, why, ...seen }),
        () => (id === undefined ? undefined : controller.retry(id, { by, why, ...seen })),
        () => controller.emergency('all', by, why),
        () => controller.resumeAutomation(serviceName, by, why),
        () => world.declare(dice.whole(1, 5)),
      ])
  // Not awaited: the answer may never come, as when the engine dies over it.
  noteThrow(world, Promise.resolve(wish()))
}

/** Faults by chance: single ones, and parts that are dead or slow for a while. */
class Storm {
  readonly #world: World
  readonly #dice: Dice
  readonly #fierceness: number
  #afflicted = new Map<Part, { kind: 'refused' | 'lost' | 'slow'; untilS: number }>()
  #second = 0
  #restartAt = 0

  constructor(world: World, dice: Dice) {
    this.#world = world
    this.#dice = dice
    this.#fierceness = dice.one([0, 0.3, 1, 3])
    world.faults.choose = (part) => this.#choose(part)
  }

  second(): void {
    const { clock, router, target, isAlive } = this.#world
    const dice = this.#dice
    this.#second += 1
    const happens = (p: number) => dice.chance(p * this.#fierceness)
    if (happens(0.01))
      this.#afflicted.set(dice.one<Part>(['router', 'target', 'store', 'judge', 'validator', 'hooks']), {
        kind: dice.one(['refused', 'lost', 'slow']),
        untilS: this.#second + dice.whole(2, 20),
      })
    if (happens(0.01)) this.#world.kill()
    if (happens(0.005)) clock.jumpWall(dice.one([-3_600_000, 3_600_000]))
    if (happens(0.003)) {
      const forMs = dice.whole(10_000, 3_600_000)
      clock.suspend(forMs)
      router.second(forMs)
    }
    if (happens(0.003)) target.crash(dice.one(['r1', 'r2', 'r3', 'r4']))
    if (happens(0.003)) router.restart({ [this.#world.record.stableReleaseId ?? 'r1']: 100 })
    if (happens(0.02))
      this.#world.missingRoom = this.#world.missingRoom === '' ? 'cpu of web-1 is 90% full' : ''
    if (happens(0.005)) router.isBlind = !router.isBlind
    if (happens(0.003)) router.unreachable.add(dice.one(['r2', 'r3', 'r4']))
    if (!isAlive && this.#restartAt === 0) this.#restartAt = this.#second + dice.whole(0, 15)
    if (!isAlive && this.#second >= this.#restartAt) {
      this.#restartAt = 0
      this.#world.start()
    }
  }

  end(): void {
    const { faults, router } = this.#world
    faults.choose = () => null
    router.isBlind = false
    this.#world.missingRoom = ''
    router.unreachable.clear()
    // What was stable once runs again: no rollback can end on a release that stays dead.
    for (const [releaseId, each] of this.#world.target.behaviours)
      this.#world.target.behaviours.set(releaseId, { ...each, diesAfterS: null })
    if (!this.#world.isAlive) this.#world.start()
  }

  #choose(part: Part): Fault | null {
    const dice = this.#dice
    const affliction = this.#afflicted.get(part)
    if (affliction && affliction.untilS > this.#second) {
      if (affliction.kind === 'slow')
        return { kind: 'slow', byMs: dice.chance(0.2) ? dice.whole(9000, 60_000) : dice.whole(100, 9000) }
      return { kind: affliction.kind }
    }
    if (!dice.chance(0.01 * this.#fierceness)) return null
    return dice.one<Fault>([
      { kind: 'refused' },
      { kind: 'lost' },
      { kind: 'slow', byMs: 3000 },
      { kind: 'slow', byMs: 8000 },
      { kind: 'slow', byMs: 45_000 },
      { kind: 'killBefore' },
      { kind: 'killAfter' },
    ])
  }
}

/** The storm is over: people resume what they stopped and end what waits for them, and the service comes to rest. */
async function calm(world: World, storm: Storm): Promise<void> {
  storm.end()
  for (let waited = 0; waited < calmS; waited++) {
    await world.advance(1)
    if (waited % 5 === 0) tend(world)
    if (waited > 10 && world.unrest().length === 0 && !world.record.automationStopped) return
  }
  throw new Error(`no rest within ${calmS} s: ${world.unrest().join('; ')}\n${world.describe()}`)
}

/**
 * A new number of instances, around which the engine is killed, holds in the end. A deployment that was asked for in the
 * storm and arrives only now is waited for; its own number holds if it is promoted.
 */
async function rescale(world: World, dice: Dice): Promise<void> {
  const instances = (world.declared ?? 0) + 1
  const killAt = dice.whole(0, 4)
  const promotions = () =>
    [...world.store.deployments.values()].filter(({ phase }) => phase === 'promoted').length
  const before = promotions()
  if (dice.chance(0.3)) world.kill()
  world.declare(instances)
  let calls = 0
  world.faults.choose = () => (calls++ === killAt ? { kind: dice.one(['killBefore', 'killAfter']) } : null)
  for (let waited = 0; waited < calmS; waited++) {
    await world.advance(1)
    if (!world.isAlive) world.start()
    if (waited % 5 === 0) tend(world)
    const isDone = world.record.instances === instances || promotions() > before
    if (waited > 6 && isDone && world.unrest().length === 0) return
  }
  throw new Error(`${instances} instances were declared and do not run\n${world.describe()}`)
}

/** Nothing is awaited: answers need time, and time stands still meanwhile. */
function tend(world: World): void {
  const { controller } = world
  if (!controller) return
  const asked: Promise<unknown>[] = []
  if (world.record.automationStopped)
    asked.push(controller.resumeAutomation(serviceName, person('anna'), 'all is calm'))
  for (const state of controller.views[0]?.open ?? [])
    if (state.pause && !hasEnded(state))
      asked.push(
        controller.command(state.id, {
          kind: 'abort',
          by: person('anna'),
          why: 'nobody waits for it',
          expectedRevision: null,
        }),
      )
  for (const each of asked) noteThrow(world, each)
}

function noteThrow(world: World, asked: Promise<unknown>): void {
  asked.catch((thrown: unknown) => {
    world.broken.push(`a command threw: ${thrown instanceof Error ? thrown.stack : String(thrown)}`)
  })
}
