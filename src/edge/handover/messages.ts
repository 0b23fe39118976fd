import * as z from 'zod'
import { edgeBinSchema } from '../../contract/index.ts'
import { keptBinsSchema } from '../counts/index.ts'

/** Tells a process that it was started by a running edge to take over from it. */
export const successorVariable = 'PILOTHOUSE_EDGE_TAKES_OVER'

const countsSchema = z.record(z.string(), z.number())

/** What is not in the state on the disk. */
export const inheritanceSchema = z.object({
  /** Of the first of these edges: counts go on, so cursors do. */
  bootId: z.string(),
  /** Where its admin socket is; empty from an edge that does not tell. */
  socketPath: z.string().default(''),
  services: z.array(z.object({ name: z.string(), bins: keptBinsSchema })),
})
export type Inheritance = z.infer<typeof inheritanceSchema>

/** What the edge that ends still has under way, and what of it has ended since it last told. */
export const progressSchema = z.array(
  z.object({
    name: z.string(),
    /** By instance. */
    inFlight: countsSchema,
    ended: z.array(
      edgeBinSchema.omit({ atMs: true, durationMs: true, inFlight: true, oldestInFlightMs: true }),
    ),
  }),
)
export type Progress = z.infer<typeof progressSchema>

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
 * From the edge that begins, in this order: its program is loaded; it knows the state; it serves beside the other;
 * it alone is the edge; it has all that was given.
 */
export const steps = ['loaded', 'prepared', 'serving', 'open', 'all taken'] as const
export type Step = (typeof steps)[number]
export const takenSchema = z.object({ step: z.enum(steps) })
