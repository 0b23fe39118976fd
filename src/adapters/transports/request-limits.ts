import type { RateLimitPluginOptions } from '@fastify/rate-limit'
import type { FastifyRequest } from 'fastify'
import { AppError } from '../../base/index.ts'
import { contract, errorCatalogue } from '../../contract/index.ts'

const windowMs = 10_000

/**
 * Requests in a window, for one token at one address. Lanes do not share: a script that calls too often cannot keep a page
 * from loading or from opening its channels, and nothing keeps an emergency rollback out.
 */
const lanes = { emergency: 100, channels: 300, calls: 600, pages: 600 } as const
type Lane = keyof typeof lanes

const emergencyPath = `/api/v1${contract.rollback.emergency['~orpc'].route.path ?? ''}`
const channelPaths = ['/api/live', '/api/calls']

function laneOf({ method, url }: FastifyRequest): Lane {
  const [path = ''] = url.split('?', 1)
  if (method === 'POST' && path === emergencyPath) return 'emergency'
  if (channelPaths.includes(path)) return 'channels'
  return path.startsWith('/api/') ? 'calls' : 'pages'
}

/**
 * Limits for each token and address. Requests without a valid token share one budget for each address, apart from that
 * of everybody who has one. `callerIn` tells whom a request comes from, or null.
 */
export function requestLimits(callerIn: (request: FastifyRequest) => string | null): RateLimitPluginOptions {
  return {
    max: (_request, key) => lanes[key.split(' ', 1)[0] as Lane],
    timeWindow: windowMs,
    keyGenerator: (request) => {
      return `${laneOf(request)} ${request.ip} ${callerIn(request) ?? 'anyone'}`
    },
    errorResponseBuilder: () => new AppError('RATE_LIMITED', errorCatalogue.RATE_LIMITED.title),
  }
}
