import { oc } from '@orpc/contract'
import * as z from 'zod'
import { errorCatalogue, type ErrorCode } from '../../base/index.ts'
import type { Right } from './rights.ts'

export interface ProcedureMeta {
  right: Right
  /** An order changes production: screens name target and effect before it, and the audit log keeps who gave it. */
  isOrder: boolean
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

/** What each procedure of the table starts from; each names the right it needs. */
export const procedure = (right: Right, { isOrder = false } = {}) =>
  oc.$meta<ProcedureMeta>({ right, isOrder }).errors(errors)
