import * as z from 'zod'
import { auditEntrySchema } from '../model/deployments.ts'
import { procedure } from './procedure.ts'

export const audit = {
  list: procedure('audit.read')
    .route({ method: 'GET', path: '/audit', summary: 'Audit entries, newest first' })
    .input(
      z.strictObject({
        actor: z.string().max(200).optional(),
        target: z.string().max(200).optional(),
        text: z.string().max(200).optional().describe('Text in the actor, action, target or reason.'),
        fromMs: z.coerce.number().optional(),
        toMs: z.coerce.number().optional(),
        limit: z.coerce.number().int().min(1).max(1000).default(100),
        beforeSeq: z.coerce.number().int().optional(),
      }),
    )
    .output(z.array(auditEntrySchema)),
  verify: procedure('audit.read')
    .route({ method: 'GET', path: '/audit/verify', summary: 'Verify the audit log' })
    .input(
      z
        .strictObject({
          seq: z.coerce.number().int().positive().optional().describe('An entry from an earlier export.'),
          hash: z
            .string()
            .regex(/^[0-9a-f]{64}$/)
            .optional()
            .describe('Its hash in that export.'),
          seal: z
            .string()
            .regex(/^[0-9a-f]{64}$/)
            .optional()
            .describe('Its seal in that export, if it has one.'),
        })
        .optional(),
    )
    .output(
      z.object({
        isWhole: z.boolean(),
        entryCount: z.number(),
        /** The first entry that does not follow from the one before it. */
        firstBrokenSeq: z.number().nullable(),
        text: z.string(),
      }),
    ),
  unconfirmed: procedure('audit.note')
    .route({
      method: 'POST',
      path: '/audit/unconfirmed',
      summary: 'Record that an order was not confirmed',
    })
    .input(
      z.strictObject({
        order: z.string().max(100).describe('Name of the procedure: deployments.promote.'),
        target: z.string().max(200).describe('Name of the service.'),
      }),
    )
    .output(z.object({})),
  export: procedure('audit.read')
    .route({ method: 'GET', path: '/audit/export', summary: 'The audit log as JSON Lines or CSV' })
    .input(
      z.strictObject({
        format: z.enum(['jsonl', 'csv']),
        fromMs: z.coerce.number().optional(),
        toMs: z.coerce.number().optional(),
      }),
    )
    .output(z.object({ name: z.string(), text: z.string() })),
}
