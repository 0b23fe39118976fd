import * as z from 'zod'
import { errorCodes } from '../../base/index.ts'
import { nameSchema } from '../model/names.ts'
import { why } from './inputs.ts'
import { procedure } from './procedure.ts'

/** What an emergency rollback did to one service, as read back from its router. */
export const rollbackOutcomeSchema = z.object({
  service: nameSchema,
  ok: z.boolean(),
  /** All traffic goes here now; null when the router could not be reached. */
  releaseId: z.string().nullable(),
  fromReleaseId: z.string().nullable(),
  /** From the order to the verified answer of the router. */
  tookMs: z.number(),
  text: z.string(),
  /** Why not, where it is not ok. CONFLICT is an answer: there is nothing that an emergency rollback could do. */
  code: z.enum(errorCodes).optional(),
  /** What a person can run instead; left out where there is nothing. */
  nextCommand: z.string().optional(),
})
export type RollbackOutcome = z.infer<typeof rollbackOutcomeSchema>

export const rollback = {
  emergency: procedure('rollback.emergency', { isOrder: true })
    .route({
      method: 'POST',
      path: '/rollback',
      summary: 'Emergency rollback: stop every deployment and send all traffic back at once',
    })
    .input(
      z.strictObject({
        /** Left out: every service whose `wayBack` is not an undo. */
        services: z.array(nameSchema).min(1).max(1000).optional(),
        why,
      }),
    )
    .output(z.array(rollbackOutcomeSchema)),
}
