import { runSeed } from './run.ts'

/** Over both halves; each half is a process of its own, so that two cores share them. */
const runCount = Number(process.env['PILOTHOUSE_SIM_RUNS'] ?? 12_000)
const firstSeed = Number(process.env['PILOTHOUSE_SIM_FIRST_SEED'] ?? 1)

/** Every second seed, from the first or the second on. Throws with the seed of the first run that fails. */
export async function runHalf(offset: 0 | 1): Promise<void> {
  for (let seed = firstSeed + offset; seed < firstSeed + runCount; seed += 2)
    try {
      await runSeed(seed)
    } catch (thrown) {
      const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
      throw new Error(
        `seed ${seed} failed; see it again with: node test/sim/random/replay.ts ${seed}\n${text}`,
        {
          cause: thrown,
        },
      )
    }
}
