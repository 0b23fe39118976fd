import { AppError, type Clock } from '../../base/index.ts'
import { actorOf, isOrder } from '../../contract/index.ts'
import { api, given, orThrow } from '../identity/index.ts'
import { exportAudit, verifyAudit } from './log.ts'
import type { AuditStore } from './ports.ts'
import type { Refusal } from './refusals.ts'

export interface AuditParts {
  clock: Clock
  stores: { audit: AuditStore }
  noteRefusal: (refusal: Refusal) => Promise<void>
}

/** Procedures on the audit log. */
export const auditHandlers = ({ clock, stores: { audit: store }, noteRefusal }: AuditParts) => ({
  audit: {
    list: api.audit.list.handler(({ input }) => orThrow(store.audit(given(input)))),
    verify: api.audit.verify.handler(({ input: { seq, hash, seal } = {} }) =>
      orThrow(
        verifyAudit(
          store,
          seq === undefined || hash === undefined
            ? null
            : { seq, hash, ...(seal === undefined ? {} : { seal }) },
        ),
      ),
    ),
    unconfirmed: api.audit.unconfirmed.handler(
      async ({ input: { order, target }, context: { principal } }) => {
        if (!isOrder(order)) throw new AppError('BAD_INPUT', `order: there is no order "${order}".`)
        const text = 'The name typed to confirm it was wrong.'
        await noteRefusal({ actor: actorOf(principal), order, target, code: 'CONFLICT', text })
        return {}
      },
    ),
    export: api.audit.export.handler(({ input }) =>
      orThrow(exportAudit(store, input.format, input.fromMs, input.toMs, clock.nowMs())),
    ),
  },
})
