import { oc } from '@orpc/contract'
import * as z from 'zod'
import { errorCatalogue, type ErrorCode } from '../../base/index.ts'

export const roles = ['viewer', 'responder', 'deployer', 'admin'] as const
export type Role = (typeof roles)[number]

export interface ProcedureMeta {
  /** The least role that may call it. */
  role: Role
  /** Changes production: screens name target and effect before it, the audit log keeps it. */
  dangerous: boolean
}

/** What every failure carries beside its code and message. */
export const errorDataSchema = z.object({
  retryable: z.boolean(),
  action: z.string(),
  correlationId: z.string(),
  details: z.record(z.string(), z.unknown()),
})
export type ErrorData = z.infer<typeof errorDataSchema>

const errors = Object.fromEntries(
  Object.entries(errorCatalogue).map(([code, { status, title }]) => [
    code,
    { status, message: title, data: errorDataSchema },
  ]),
) as { [code in ErrorCode]: { status: number; message: string; data: typeof errorDataSchema } }

/** What each procedure of the table starts from. */
export const procedure = oc.$meta<ProcedureMeta>({ role: 'viewer', dangerous: false }).errors(errors)
