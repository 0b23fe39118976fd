import type { RateLimitPluginOptions } from '@fastify/rate-limit'
import type { FastifyRequest } from 'fastify'
import { AppError } from '../../base/index.ts'
import { contract, errorCatalogue, sessionPaths } from '../../contract/index.ts'

const windowMs = 10_000

/**
 * Requests in a window, for one caller. Lanes do not share: a script that calls too often cannot keep a page from loading or
 * from opening its channels, what asks for nothing that exists keeps nobody out, and nothing keeps an emergency rollback
 * out. Of sign-ins only those that fail count and are refused.
 */
const lanes = {
  emergency: 100,
  channels: 300,
  calls: 600,
  pages: 600,
  signIn: 300,
  challenge: 300,
  unknown: 600,
} as const
type Lane = keyof typeof lanes

const emergencyPath = `/api/v1${contract.rollback.emergency['~orpc'].route.path ?? ''}`
const channelPaths = ['/api/live', '/api/calls']

function laneOf({ method, url, is404 }: FastifyRequest): Lane {
  const [path = ''] = url.split('?', 1)
  if (is404) return 'unknown'
  if (method === 'POST' && path === emergencyPath) return 'emergency'
  if (method === 'POST' && path === sessionPaths.session) return 'signIn'
  if (path === sessionPaths.challenge) return 'challenge'
  if (channelPaths.includes(path)) return 'channels'
  return path.startsWith('/api/') ? 'calls' : 'pages'
}

/**
 * Limits for each caller. Requests of nobody that is known share one budget, apart from those of everybody who is. They are
 * not told apart by address: this server is on loopback, where a program may come from as many addresses as it likes.
 * `callerIn` tells whom a request comes from, or null.
 */
export function requestLimits(callerIn: (request: FastifyRequest) => string | null): RateLimitPluginOptions {
  return {
    max: (_request, key) => lanes[key.split(' ', 1)[0] as Lane],
    timeWindow: windowMs,
    keyGenerator: (request) => `${laneOf(request)} ${callerIn(request) ?? 'anyone'}`,
    errorResponseBuilder: () => new AppError('RATE_LIMITED', errorCatalogue.RATE_LIMITED.title),
  }
}
