import * as z from 'zod'
import { inheritanceSchema, progressSchema } from '../services/index.ts'

/** Tells a process that it was started by a running edge to take over from it. */
export const successorVariable = 'PILOTHOUSE_EDGE_TAKES_OVER'

/** From the edge that ends. `port` and `connection` come with a socket. */
export const givenSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('inheritance'), inheritance: inheritanceSchema }),
  z.object({ kind: z.literal('port'), service: z.string() }),
  z.object({ kind: z.literal('ports given') }),
  z.object({ kind: z.literal('yours'), progress: progressSchema }),
  z.object({ kind: z.literal('connection'), service: z.string() }),
  z.object({ kind: z.literal('idle given') }),
  z.object({ kind: z.literal('progress'), progress: progressSchema }),
  z.object({ kind: z.literal('all given') }),
])
export type Given = z.infer<typeof givenSchema>

/**
 * What the edge that has taken over asks of the one before it, which one of an earlier version ignores: to cut what it
 * has in progress at an instance; to end with all that it has within a time.
 */
export const askedSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('cut'), instanceId: z.string() }),
  z.object({ kind: z.literal('end'), withinMs: z.number().min(0) }),
])
export type Asked = z.infer<typeof askedSchema>

/**
 * From the edge that begins, in this order: its program is loaded; it knows the state; it serves beside the other;
 * it alone is the edge; it has all that was given.
 */
const steps = ['loaded', 'prepared', 'serving', 'open', 'all taken'] as const
export type HandoverStep = (typeof steps)[number]
export const takenSchema = z.object({ step: z.enum(steps) })
