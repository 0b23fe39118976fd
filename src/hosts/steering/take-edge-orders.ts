import { sleep, type Clock, type Log } from '../../base/index.ts'
import { isEngine } from '../../contract/index.ts'
import { audited, type AuditDraft } from '../../engine/audit/index.ts'
import { type Loop } from '../../engine/core/index.ts'
import type { Stores } from '../../engine/stores.ts'
import { takeNotes, type OrderNote } from '../edge/index.ts'

const lookEveryMs = 2000

interface Taking {
  stores: Pick<Stores, 'work' | 'audit'>
  log: Log
}

/**
 * Puts orders that were given to the edge itself on record, each once: a note that is still there after its entry, since an
 * engine died between, is known by its id.
 */
export function takeEdgeOrders(directory: string, { stores, log }: Taking): Promise<void> {
  const record = async (note: OrderNote): Promise<boolean> => {
    const known = await stores.audit.audit({ text: note.id, limit: 1 })
    if (!known.ok) return false
    if (known.value.length > 0) return true
    const stored = await stores.work.commit(audited([draftOf(note)]))
    if (!stored.ok)
      log.warn('an order to the edge is not in the audit log yet', { ...note, reason: stored.error.message })
    return stored.ok
  }
  return takeNotes(directory, record, log)
}

/** Takes orders for as long as the engine runs: the edge may be stopped while it does. */
export const edgeOrderTaker = (directory: string, parts: Taking & { clock: Clock }): Loop => ({
  name: 'orders at the embedded platform',
  async run(signal, heart) {
    while (!signal.aborted) {
      heart.beat()
      await takeEdgeOrders(directory, parts)
      await sleep(parts.clock, lookEveryMs, signal).catch(() => undefined)
    }
  },
})

function draftOf({ id, atMs, actor, order, failure, details }: OrderNote): AuditDraft {
  const entry = { atMs, actor, target: 'edge' }
  if (failure)
    return {
      ...entry,
      action: 'orders.refused',
      why: failure.text,
      details: { order, code: failure.code, id, ...details },
    }
  const isAutomatic = isEngine(actor) && order === 'platform.upgrade'
  const why = isAutomatic ? 'The edge was an older version than the program.' : ''
  return { ...entry, action: order, why, details: { id, ...details } }
}
