import type { Actor } from '../../contract/index.ts'
import { finishWithinMs, type EdgeLog } from '../../edge/index.ts'
import { ok, type Result } from '../../base/index.ts'
import { systemClock, systemRng } from '../../adapters/system/index.ts'
import { version } from '../version.ts'
import { edgeClient } from './find.ts'
import { keepNote } from './order-notes.ts'
import { ownProgram, type EdgeProgram } from './launch.ts'

/** An edge as it was and the one that took over from it. */
export interface EdgeUpgrade {
  from: { pid: number; version: string }
  to: { pid: number; version: string }
  /** How long requests and WebSockets in progress may go on in the old process before it cuts them. */
  finishWithinMs: number
}

export interface EdgeUpgradeOrder {
  /** For the audit log. */
  by: Actor
  log: EdgeLog
  /** This process's own unless told otherwise. */
  program?: EdgeProgram | undefined
}

/** The one before the last may still have requests in progress, which are waited for first (`makeWayWithinMs`). */
const upgradeWithinMs = 120_000

/**
 * Makes a new process of `program` the edge of a directory in place of the one that runs, without a request lost:
 * those in progress finish in the old one, within `finishWithinMs`.
 * UNAVAILABLE when none runs, or the new one fails: then the old one goes on. NOT_FOUND from an edge that is too old
 * to do it, UNSUPPORTED on Windows.
 */
export async function upgradeEdge(
  directory: string,
  { by, log, program = ownProgram() }: EdgeUpgradeOrder,
): Promise<Result<EdgeUpgrade>> {
  await using client = edgeClient(directory, upgradeWithinMs)
  const from = await client.call('status', {})
  if (!from.ok) return from
  const { command, args } = program
  const order = { command, args: [...args] }
  let handedOver = await client.call('handover', { ...order, by, version })
  // One of an earlier version does not know who orders it, and keeps no note.
  const keepsNoNote = !handedOver.ok && handedOver.error.code === 'BAD_INPUT'
  if (keepsNoNote) handedOver = await client.call('handover', order)
  if (keepsNoNote && handedOver.ok)
    keepNote(
      directory,
      {
        id: systemRng().hex(16),
        atMs: systemClock().nowMs(),
        actor: by,
        order: 'platform.upgrade',
        details: {
          from: from.value.version,
          to: version,
          pidBefore: from.value.pid,
          pid: handedOver.value.pid,
        },
      },
      log,
    )
  if (!handedOver.ok) return handedOver
  const to = await client.call('status', {})
  return to.ok ? ok({ from: from.value, to: to.value, finishWithinMs }) : to
}

/** Whether one version comes before another: numbers first, then a release after what led to it. */
export function isOlder(version: string, than: string): boolean {
  const [a, b] = [parts(version), parts(than)]
  for (let i = 0; i < 3; i++) {
    const difference = (a.numbers[i] ?? 0) - (b.numbers[i] ?? 0)
    if (difference !== 0) return difference < 0
  }
  if (a.preliminary === '' || b.preliminary === '') return a.preliminary !== '' && b.preliminary === ''
  return a.preliminary.localeCompare(b.preliminary, 'en', { numeric: true }) < 0
}

function parts(version: string): { numbers: number[]; preliminary: string } {
  const [, numbers = '', preliminary = ''] = /^(\d+(?:\.\d+)*)(?:-([^+]*))?/.exec(version) ?? []
  return { numbers: numbers.split('.').map(Number), preliminary }
}
