import * as z from 'zod'

/** How much a client may ask of the proxy, and how long an instance may take. */
export const limitsSchema = z.strictObject({
  /** Request line and header fields together, bytes; fields, number. Above: 431. */
  maxHeaderBytes: z.number().int().min(1024).default(16_384),
  maxHeaderCount: z.number().int().min(10).default(100),
  /** Above: 413. */
  maxBodyBytes: z
    .number()
    .int()
    .min(0)
    .default(2 ** 30),
  /** Client connections of one service; further ones are closed at once. */
  maxConnections: z.number().int().min(1).default(10_000),
  /** From the first byte of a request to the end of its header, and of its body. */
  clientHeadersMs: z.number().int().min(100).default(10_000),
  clientRequestMs: z.number().int().min(100).default(300_000),
  /** A client connection on which nothing moves; more than an instance may take to answer. */
  clientIdleMs: z.number().int().min(100).default(120_000),
  connectMs: z.number().int().min(50).default(2000),
  /** From the request to the header of the answer: 504 after it. */
  answerMs: z.number().int().min(50).default(60_000),
  /** Between two pieces of an answer. */
  answerIdleMs: z.number().int().min(50).default(60_000),
  /** A WebSocket on which nothing moves. */
  tunnelIdleMs: z.number().int().min(100).default(3_600_000),
  /** Tries of an idempotent request that could not reach an instance, the first included. */
  maxAttempts: z.number().int().min(1).max(10).default(3),
})
export type Limits = z.infer<typeof limitsSchema>
