import * as z from 'zod'
import { edgeCountsSchema } from '../../contract/index.ts'
import { keptBinsSchema } from '../counts/index.ts'

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

/** What the edge that ends still has in progress, and what of it has ended since it last told. */
export const progressSchema = z.array(
  z.object({
    name: z.string(),
    /** By instance. */
    inFlight: countsSchema,
    ended: z.array(edgeCountsSchema),
  }),
)
export type Progress = z.infer<typeof progressSchema>
