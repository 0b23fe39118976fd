import * as z from 'zod'

/** What a target can do. Each is told by the platform itself; screens and reports repeat it. */
const targetCapabilitiesSchema = z.object({
  /** It runs any number of instances of a release, not only one. */
  scales: z.boolean(),
  /** Instances cannot reach the files, processes and ports of one another. */
  isolatesInstances: z.boolean(),
})
export type TargetCapabilities = z.infer<typeof targetCapabilitiesSchema>

/** What a router can do. */
const routerCapabilitiesSchema = z.object({
  /** Weights are read back from what serves requests, so that "verified" is more than "requested". */
  verifiesWeights: z.boolean(),
  /** Client connections and requests in flight survive a change of weights. */
  keepsConnections: z.boolean(),
  /** Requests with a header or cookie can go to the candidate whatever the weights. */
  routesByHeader: z.boolean(),
  webSockets: z.boolean(),
  /** Each release's requests are counted, with their outcome and latency. */
  countsRequests: z.boolean(),
})
export type RouterCapabilities = z.infer<typeof routerCapabilitiesSchema>

/** What a service can rely on: what its target and its router can do. */
export const capabilitiesSchema = z.object({
  ...targetCapabilitiesSchema.shape,
  ...routerCapabilitiesSchema.shape,
})
export type Capabilities = z.infer<typeof capabilitiesSchema>
