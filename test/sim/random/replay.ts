/** Runs one seed again with every call that was made: `node test/sim/random/replay.ts SEED`. */
import { World } from '../world/world.ts'
import { runSeed } from './run.ts'

const seed = Number(process.argv[2])
if (!Number.isSafeInteger(seed)) throw new Error('usage: node test/sim/random/replay.ts SEED')
const world = new World()
world.faults.isTraced = true
const ending = await runSeed(seed, world).then(
  () => 'came to rest',
  (thrown: unknown) => {
    process.exitCode = 1
    return `failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`
  },
)
process.stdout.write(`${world.faults.trace.join('\n')}\n${world.describe()}\nseed ${seed} ${ending}\n`)
