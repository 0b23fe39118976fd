import type { FastifyInstance } from 'fastify'
import type { Clock } from '../../base/index.ts'
import type { Hook } from './http-errors.ts'

/** How long an answer of metrics is good for everybody who asks. */
const sharedMs = 1000

/** What the health endpoints say, from figures the engine already holds. Metrics are made at most once a second. */
export interface HealthAnswers {
  liveness(): unknown
  readiness(): { ready: boolean; body: unknown }
  metricsJson(): unknown
  metricsText(): Promise<{ contentType: string; body: string }>
}

/** Adds the endpoints of probes and of Prometheus. `onRequest` refuses who comes from another site. */
export function registerHealth(
  fastify: FastifyInstance,
  health: HealthAnswers,
  clock: Clock,
  onRequest: Hook,
): void {
  const metricsJson = shared(clock, () => health.metricsJson())
  const metricsText = shared(clock, () => health.metricsText())
  const unlimited = { config: { rateLimit: false as const }, onRequest }
  fastify.get('/health/liveness', unlimited, () => health.liveness())
  fastify.get('/health/readiness', unlimited, (_request, reply) => {
    const { ready, body } = health.readiness()
    return reply.code(ready ? 200 : 503).send(body)
  })
  fastify.get('/health/metrics', unlimited, () => metricsJson())
  fastify.get('/metrics', unlimited, async (_request, reply) => {
    const { contentType, body } = await metricsText()
    return reply.type(contentType).send(body)
  })
}

/** Probes have no limit and need no token: what they make the engine do has to be bounded otherwise. */
function shared<T>(clock: Clock, make: () => T): () => T {
  let last: { atMs: number; answer: T } | null = null
  return () => {
    const atMs = clock.monotonicMs()
    if (last === null || atMs - last.atMs >= sharedMs) last = { atMs, answer: make() }
    return last.answer
  }
}
