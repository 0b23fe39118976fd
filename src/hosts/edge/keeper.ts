import type { EdgeLog } from '../../edge/index.ts'
import { sleep, type Clock } from '../../base/index.ts'
import { engineActor } from '../../contract/index.ts'
import { type Loop } from '../../engine/core/index.ts'
import { version } from '../version.ts'
import { ensureEdge, type EdgeProgram } from './launch.ts'
import { isOlder, upgradeEdge } from './upgrade.ts'

const lookEveryMs = 5000
const needEveryMs = 200
/** Between tries to put a newer edge in the place of an older one. */
const upgradeEveryMs = 600_000

export interface EdgeKeeping {
  directory: string
  clock: Clock
  log: EdgeLog
  /** Whether there is anything for it to run. */
  isNeeded: () => boolean
  /** The edge cannot write to its disk, or found its state damaged: what it says, once for each text. */
  onTrouble?: (text: string) => void
  /** What runs the edge, where this process's Node cannot. */
  program?: EdgeProgram | undefined
  /** Of the program that would run the edge; this one's. */
  ownVersion?: string
}

/**
 * Starts the edge of a directory where none answers, as soon as it is needed, and lets a newer one take over from an
 * older one. One of this version, or of a later one, is left alone, now and when we end.
 */
export function edgeKeeper({
  directory,
  clock,
  log,
  isNeeded,
  onTrouble = () => undefined,
  program,
  ownVersion = version,
}: EdgeKeeping): Loop {
  let nextUpgradeMs = -Infinity
  const told = { trouble: '', damage: '' }

  async function upgrade(runs: string): Promise<void> {
    if (!isOlder(runs, ownVersion) || clock.monotonicMs() < nextUpgradeMs) return
    nextUpgradeMs = clock.monotonicMs() + upgradeEveryMs
    const upgraded = await upgradeEdge(directory, { by: engineActor, log, program })
    if (upgraded.ok) log.info('a newer embedded platform has taken over', { ...upgraded.value })
    else
      log.warn('the embedded platform keeps running an older version', {
        runs,
        failure: upgraded.error.message,
      })
  }

  function heed(kind: keyof typeof told, text: string): void {
    if (text === told[kind]) return
    told[kind] = text
    if (text === '') return
    log.warn('the embedded platform is in trouble', { [kind]: text })
    onTrouble(text)
  }

  return {
    name: 'embedded platform',
    async run(signal, heart) {
      while (!signal.aborted) {
        heart.beat()
        if (!isNeeded()) {
          await sleep(clock, needEveryMs, signal).catch(() => undefined)
          continue
        }
        const edge = await ensureEdge({ directory, clock, program })
        if (!edge.ok) throw edge.error
        const status = await edge.value.call('status', {})
        await edge.value[Symbol.asyncDispose]()
        if (status.ok) {
          heed('damage', status.value.damage)
          heed('trouble', status.value.trouble)
          await upgrade(status.value.version)
        }
        await sleep(clock, lookEveryMs, signal).catch(() => undefined)
      }
    },
  }
}
