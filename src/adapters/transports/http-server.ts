import fastifyCookie from '@fastify/cookie'
import fastifyHelmet from '@fastify/helmet'
import fastifyRateLimit from '@fastify/rate-limit'
import fastifyStatic from '@fastify/static'
import fastifyWebsocket from '@fastify/websocket'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import {
  contentSecurityPolicy,
  errorCatalogue,
  maxMessageBytes,
  type ErrorCode,
} from '../../contract/index.ts'
import type { CallContext } from '../../engine/api/index.ts'
import { AppError, messageOf, type Log } from '../../engine/core/index.ts'
import type { PublisherOptions } from '../../engine/live/index.ts'
import type { CallServer } from './call-server.ts'
import { checkAccess, checkSite, sameText, type AccessRules } from './http-access.ts'
import { serveLive } from './live-server.ts'
import { openApiDocument, openApiPage } from './open-api.ts'
import { websocketChannel } from './websocket-channel.ts'

export interface HttpServerOptions {
  /** Address to bind; the caller has made sure that it is allowed. */
  address: string
  /** 0 for any free port. */
  port: number
  token: string
  /** Further names by which a reverse proxy or a person reaches this server, `name` or `name:port`. */
  allowedHosts: readonly string[]
  /** Folder of the renderer's bundle. */
  screens: string
  version: string
  calls: CallServer
  live: Omit<PublisherOptions, 'send' | 'drop'>
  context: CallContext
  health: HealthAnswers
  log: Log
}

/** Where the page is served: the addresses of the contract's `isViewPath`, as patterns of this server. */
const views = [
  '/overview',
  '/host/*',
  ...['/services', '/deployments', '/settings'].flatMap((list) => [list, `${list}/*`]),
  '/activity',
]

/** What the health endpoints say; made anew for each request from figures the engine already holds. */
export interface HealthAnswers {
  readiness(): { ready: boolean; body: unknown }
  metricsJson(): unknown
  metricsText(): Promise<{ contentType: string; body: string }>
}

export interface HttpServer extends AsyncDisposable {
  port: number
  /** The address to open, with the token in it. */
  url: string
  fastify: FastifyInstance
}

/** Serves the screens, the contract and the health endpoints. Throws AppError when the port cannot be had. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const fastify = Fastify({
    bodyLimit: maxMessageBytes,
    requestTimeout: 30_000,
    routerOptions: { maxParamLength: 500 },
    // Closing waits for requests, not for idle connections and sockets that live for days.
    forceCloseConnections: true,
    logger: false,
  })
  const rules: AccessRules = { hosts: new Set(), token: options.token, cookieName: '' }

  fastify.setErrorHandler((failure: { statusCode?: number; code?: string } & Error, request, reply) =>
    sendError(reply, codeOf(failure, options.log, request), messageFor(failure)),
  )
  await fastify.register(fastifyHelmet, {
    contentSecurityPolicy: { useDefaults: false, directives: contentSecurityPolicy },
    crossOriginEmbedderPolicy: false,
    strictTransportSecurity: false,
    referrerPolicy: { policy: 'no-referrer' },
  })
  await fastify.register(fastifyCookie)
  await fastify.register(fastifyRateLimit, {
    max: 600,
    timeWindow: 10_000,
    errorResponseBuilder: () => new AppError('RATE_LIMITED', errorCatalogue.RATE_LIMITED.title),
  })
  await fastify.register(fastifyWebsocket, { options: { maxPayload: maxMessageBytes } })

  const guard = async (request: FastifyRequest, reply: FastifyReply) => {
    const answer = checkAccess(rules, {
      host: request.headers.host,
      origin: request.headers.origin,
      authorization: request.headers.authorization,
      cookieToken: request.cookies[rules.cookieName],
    })
    if (answer !== 'allowed') return refuse(reply, answer, request)
  }
  const siteGuard = async (request: FastifyRequest, reply: FastifyReply) => {
    const answer = checkSite(rules, { host: request.headers.host, origin: request.headers.origin })
    if (answer) return refuse(reply, answer, request)
  }

  registerHealth(fastify, options.health, siteGuard)
  await fastify.register(async (guarded) => {
    guarded.addHook('onRequest', guard)
    await registerApi(guarded, options)
    guarded.get('/api/live', { websocket: true }, (socket) =>
      serveLive(websocketChannel(socket) as Parameters<typeof serveLive>[0], options.live),
    )
    guarded.get('/api/calls', { websocket: true }, (socket) =>
      options.calls.serve(websocketChannel(socket), options.context),
    )
  })
  await registerScreens(fastify, options, rules, siteGuard)

  fastify.setNotFoundHandler({ preHandler: [fastify.rateLimit(), siteGuard] }, (request, reply) =>
    sendError(reply, 'NOT_FOUND', `Nothing is served at ${request.method} ${pathOf(request)}.`),
  )

  await listen(fastify, options)
  const address = fastify.server.address()
  const port = typeof address === 'object' && address ? address.port : options.port
  const names = [options.address, '127.0.0.1', 'localhost', '[::1]']
  rules.hosts = new Set([
    ...names.map((name) => `${name}:${port}`.toLowerCase()),
    ...options.allowedHosts.map((name) => name.toLowerCase()),
  ])
  rules.cookieName = `pilothouse_${port}`
  const shown = options.address.includes(':') ? `[${options.address}]` : options.address
  return {
    port,
    url: `http://${shown}:${port}/?token=${options.token}`,
    fastify,
    [Symbol.asyncDispose]: () => fastify.close(),
  }
}

type Hook = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

function registerHealth(fastify: FastifyInstance, health: HealthAnswers, onRequest: Hook): void {
  const unlimited = { config: { rateLimit: false as const }, onRequest }
  fastify.get('/health/liveness', unlimited, () => ({ status: 'alive' }))
  fastify.get('/health/readiness', unlimited, (_request, reply) => {
    const { ready, body } = health.readiness()
    return reply.code(ready ? 200 : 503).send(body)
  })
  fastify.get('/health/metrics', unlimited, () => health.metricsJson())
  fastify.get('/metrics', unlimited, async (_request, reply) => {
    const { contentType, body } = await health.metricsText()
    return reply.type(contentType).send(body)
  })
}

async function registerApi(fastify: FastifyInstance, options: HttpServerOptions): Promise<void> {
  const { version, calls, context } = options
  const document = await openApiDocument(version)
  fastify.get('/api/openapi.json', () => document)
  fastify.get('/api/docs', (_request, reply) => reply.type('text/html').send(openApiPage(document)))
  // Bodies are read by the handler itself, within fastify's limit.
  fastify.all('/api/v1/*', async (request, reply) => {
    const { matched } = await calls.openApi.handle(request, reply, { prefix: '/api/v1', context })
    if (!matched) {
      return sendError(reply, 'NOT_FOUND', `There is no procedure at ${request.method} ${pathOf(request)}.`)
    }
    return reply
  })
}

async function registerScreens(
  fastify: FastifyInstance,
  options: HttpServerOptions,
  rules: AccessRules,
  siteGuard: Hook,
): Promise<void> {
  await fastify.register(async (screens) => {
    screens.addHook('onRequest', siteGuard)
    await screens.register(fastifyStatic, { root: options.screens, index: false, wildcard: false })
    // Views live in the address, so every path that is no file is the page itself.
    const page = async (request: FastifyRequest, reply: FastifyReply) => {
      const { token } = request.query as { token?: string }
      if (typeof token === 'string' && sameText(token, options.token)) {
        return reply
          .setCookie(rules.cookieName, options.token, { httpOnly: true, sameSite: 'strict', path: '/' })
          .redirect(pathOf(request))
      }
      return reply.header('cache-control', 'no-cache').sendFile('index.html')
    }
    screens.get('/', page)
    for (const view of views) screens.get(view, page)
  })
}

async function listen(fastify: FastifyInstance, { address, port }: HttpServerOptions): Promise<void> {
  try {
    await fastify.listen({ host: address, port })
  } catch (failure) {
    const { code } = failure as { code?: string }
    const why =
      code === 'EADDRINUSE'
        ? 'another program already uses it'
        : code === 'EACCES'
          ? 'this user may not use it'
          : messageOf(failure)
    throw new AppError('UNAVAILABLE', `Cannot listen on ${address} port ${port}: ${why}.`, { cause: failure })
  }
}

const pathOf = (request: FastifyRequest): string => request.url.split('?', 1)[0] ?? '/'

function refuse(reply: FastifyReply, answer: string, request: FastifyRequest): FastifyReply {
  if (answer === 'no-token') return sendError(reply, 'UNAUTHENTICATED', errorCatalogue.UNAUTHENTICATED.title)
  const what =
    answer === 'wrong-host' ? `Host "${request.headers.host}"` : `Origin "${request.headers.origin}"`
  return sendError(reply, 'FORBIDDEN', `${what} is not one of this server's.`)
}

function codeOf(failure: { statusCode?: number } & Error, log: Log, request: FastifyRequest): ErrorCode {
  if (failure instanceof AppError) return failure.code
  if (failure.statusCode === 413) return 'TOO_LARGE'
  if (failure.statusCode !== undefined && failure.statusCode < 500) return 'BAD_INPUT'
  log.error('a request failed by a defect', { path: pathOf(request), error: messageOf(failure) })
  return 'INTERNAL'
}

function messageFor(failure: { statusCode?: number } & Error): string {
  const isOurs = failure instanceof AppError || (failure.statusCode ?? 500) < 500
  return isOurs ? failure.message : errorCatalogue.INTERNAL.title
}

function sendError(reply: FastifyReply, code: ErrorCode, message: string): FastifyReply {
  const { status, action, retryable } = errorCatalogue[code]
  return reply.code(status).send({ code, message, action, retryable })
}
