/** Runs one seed again with everything that was called: `node test/sim/random/replay.ts SEED`. */
import { runSeed } from './run.ts'

const seed = Number(process.argv[2])
if (!Number.isSafeInteger(seed)) throw new Error('usage: node test/sim/random/replay.ts SEED')
const world = await runSeed(seed, { isTraced: true })
process.stdout.write(`${world.faults.trace.join('\n')}\n${world.describe()}\nseed ${seed} came to rest\n`)
