import { createServer } from 'node:http'
import fastifyHelmet from '@fastify/helmet'
import fastifyRateLimit from '@fastify/rate-limit'
import fastifyStatic from '@fastify/static'
import fastifyWebsocket from '@fastify/websocket'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { WebSocket } from 'ws'
import { AppError, messageOf, type Log } from '../../base/index.ts'
import {
  actorOf,
  challengeQuerySchema,
  contentSecurityPolicy,
  errorCatalogue,
  launchUrl,
  maxMessageBytes,
  orderAt,
  sessionPaths,
  signInSchema,
  socketProtocol,
} from '../../contract/index.ts'
import type { CallContext } from '../../engine/identity/index.ts'
import type { Refusal } from '../../engine/audit/index.ts'
import type { CallServer } from './call-server.ts'
import { connectionLimits, ConnectionBook, SocketBook, type ConnectionLimits } from './connection-limits.ts'
import { registerHealth, type HealthAnswers } from './health-routes.ts'
import { checkAccess, checkSite, sameText, callerIn, type AccessRules } from './http-access.ts'
import {
  codeOf,
  messageFor,
  pathOf,
  refuse,
  refuseConnection,
  routableUrl,
  sendError,
  type Hook,
} from './http-errors.ts'
import { serveLive, type LiveSource } from './live-server.ts'
import { openApiDocument, openApiPage } from './open-api.ts'
import { requestLimits } from './request-limits.ts'
import { RequestTurns } from './request-turns.ts'
import type { Sessions } from './sessions.ts'
import { websocketChannel } from './websocket-channel.ts'

export interface HttpServerOptions {
  /** Address to bind; the caller has made sure that it is allowed. */
  address: string
  /** 0 for any free port. */
  port: number
  /** For programs, as `Authorization: Bearer`; it also opens a page where somebody types it in. */
  token: string
  /** For pages. */
  sessions: Sessions
  /** Further names by which a reverse proxy or a person reaches this server, `name` or `name:port`. */
  allowedHosts: readonly string[]
  /** Folder of the renderer's bundle. */
  screens: string
  version: string
  calls: CallServer
  live: LiveSource
  context: CallContext
  health: HealthAnswers
  /** Is told of each order that is refused here: too often, without a token, unreadable, too large, from elsewhere. */
  refused: (refusal: Refusal) => void
  log: Log
  /** Other than usual. */
  limits?: Partial<ConnectionLimits>
}

/** Where the page is served: the addresses of the contract's `isViewPath`, as patterns of this server. */
const views = [
  '/overview',
  '/host/*',
  ...['/services', '/deployments', '/settings'].flatMap((list) => [list, `${list}/*`]),
  '/activity',
]

/** Where the procedures are. */
const apiPath = '/api/v1'

/** A token and its frame. */
const maxSignInBytes = 4096

export interface HttpServer extends AsyncDisposable {
  port: number
  /** Without a path. */
  origin: string
  /** A new address that opens one page, once. */
  launchUrl(): string
  fastify: FastifyInstance
  /** What waits to be read at the other ends of all WebSockets. */
  readonly queuedBytes: number
  /** What waits to be read at the other ends of all HTTP connections. */
  readonly unreadBytes: number
}

/** Serves the screens, the contract and the health endpoints. Throws AppError when the port cannot be had. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const limits = { ...connectionLimits, ...options.limits }
  const { sessions } = options
  const { clock } = options.live
  const turns = new RequestTurns(limits.pipelined)
  const server = createServer({
    requestTimeout: 30_000,
    headersTimeout: limits.headMs,
    connectionsCheckingInterval: Math.ceil(limits.headMs / 5),
    keepAliveTimeout: 72_000,
    // To ask for another protocol is an offer. Behind another request it is not taken: the response before would be mixed in.
    shouldUpgradeCallback: ({ headers, method, socket }) =>
      method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket' && !turns.isBusy(socket),
  })
  server.setTimeout(limits.unreadMs, (socket) => {
    // A call may take its time. A client that takes nothing of the response may not.
    const awaitsResponse = turns.isBusy(socket) && socket.writableLength === 0
    if (!awaitsResponse) socket.destroy()
  })
  const connections = new ConnectionBook(server, clock, limits)
  const fastify = Fastify({
    serverFactory: (serve) =>
      server.on(
        'request',
        turns.of((request, response) => {
          connections.makeRoom()
          // It may have been the worst itself.
          if (!request.socket.destroyed) serve(request, response)
        }),
      ),
    bodyLimit: maxMessageBytes,
    routerOptions: { maxParamLength: 500 },
    clientErrorHandler: refuseConnection,
    rewriteUrl: ({ url = '/' }) => routableUrl(url),
    // Closing waits for requests, not for idle connections and sockets that live for days.
    forceCloseConnections: true,
    logger: false,
  })
  const sockets = new SocketBook(clock, limits)
  const rules: AccessRules = {
    hosts: new Set(),
    callerOf: (offered) => (sameText(offered, options.token) ? 'token' : sessions.holderOf(offered)),
  }

  fastify.setErrorHandler((failure: { statusCode?: number; code?: string } & Error, request, reply) =>
    sendError(
      reply,
      codeOf(failure, options.log, request),
      messageFor(failure),
      failure instanceof AppError ? failure.remedy : undefined,
    ),
  )
  // The end of a body that came together with the head is told after the head: later hooks know of it.
  fastify.addHook('onRequest', async ({ raw }) => {
    if (raw.complete === false) await new Promise(setImmediate)
  })
  fastify.addHook('onSend', (request, reply, _payload, done) => {
    // The response decides about the connection: whether it is kept cannot wait for a body that may never come.
    if (request.raw.complete === false) {
      void reply.header('connection', 'close')
      connections.linger(request.raw)
    }
    done()
  })
  // What the procedures refuse, they note themselves; this server says so by `sendError` alone.
  fastify.decorateRequest('refusal', null)
  fastify.addHook('onResponse', async (request) => {
    const refusal = request.getDecorator<Pick<Refusal, 'code' | 'text'> | null>('refusal')
    const order = refusal && orderAt(request.method, pathOf(request).slice(apiPath.length))
    if (!order || !pathOf(request).startsWith(apiPath)) return
    const actor = callerIn(rules, credentialsOf(request)) === null ? null : actorOf(options.context.principal)
    options.refused({ actor, order: order.name, target: order.target, ...refusal })
  })
  await fastify.register(fastifyHelmet, {
    contentSecurityPolicy: { useDefaults: false, directives: contentSecurityPolicy },
    crossOriginEmbedderPolicy: false,
    strictTransportSecurity: false,
    referrerPolicy: { policy: 'no-referrer' },
  })
  await fastify.register(
    fastifyRateLimit,
    requestLimits(
      (request) => callerIn(rules, credentialsOf(request)) ?? sessionAsked(request, options.sessions),
    ),
  )
  await fastify.register(fastifyWebsocket, {
    options: socketOptions,
  })

  const guard = async (request: FastifyRequest, reply: FastifyReply) => {
    const answer = checkAccess(rules, {
      host: request.headers.host,
      origin: request.headers.origin,
      ...credentialsOf(request),
    })
    if (answer !== 'allowed') return refuse(reply, answer, request)
    connections.authorized(request.raw, reply.raw)
  }
  const siteGuard = async (request: FastifyRequest, reply: FastifyReply) => {
    const answer = checkSite(rules, { host: request.headers.host, origin: request.headers.origin })
    if (answer) return refuse(reply, answer, request)
  }

  registerHealth(fastify, options.health, clock, siteGuard)
  await fastify.register(async (guarded) => {
    guarded.addHook('onRequest', guard)
    registerApi(guarded, options)
    registerLaunch(guarded, sessions)
    const admits = (socket: WebSocket, request: FastifyRequest) => {
      connections.release(request.raw.socket)
      return sockets.admit(socket, callerIn(rules, credentialsOf(request)) ?? '')
    }
    guarded.get('/api/live', { websocket: true }, (socket, request) => {
      if (!admits(socket, request)) return
      const channel = websocketChannel(socket, limits) as Parameters<typeof serveLive>[0]
      serveLive(channel, options.live, options.context.principal)
    })
    guarded.get('/api/calls', { websocket: true }, (socket, request) => {
      if (admits(socket, request)) options.calls.serve(websocketChannel(socket, limits), options.context)
    })
  })
  await fastify.register(async (open) => {
    open.addHook('onRequest', siteGuard)
    await registerDescription(open, options.version)
    registerSignIn(open, options, limits.signInMs)
    registerChallenge(open, sessions, rules)
  })
  await registerScreens(fastify, options, siteGuard)

  try {
    await listen(fastify, options)
  } catch (failure) {
    // Their timers would keep the process alive.
    sockets[Symbol.dispose]()
    connections[Symbol.dispose]()
    await fastify.close()
    throw failure
  }
  const address = fastify.server.address()
  const port = typeof address === 'object' && address ? address.port : options.port
  const names = [options.address, '127.0.0.1', 'localhost', '[::1]']
  rules.hosts = new Set([
    ...names.map((name) => `${name}:${port}`.toLowerCase()),
    ...options.allowedHosts.map((name) => name.toLowerCase()),
  ])
  const shown = options.address.includes(':') ? `[${options.address}]` : options.address
  const origin = `http://${shown}:${port}`
  return {
    port,
    origin,
    launchUrl: () => launchUrl(origin, sessions.mintLaunchToken()),
    fastify,
    get queuedBytes() {
      return sockets.queuedBytes
    },
    get unreadBytes() {
      return connections.unreadBytes
    },
    [Symbol.asyncDispose]: () => {
      sockets[Symbol.dispose]()
      connections[Symbol.dispose]()
      return fastify.close()
    },
  }
}

const credentialsOf = ({ headers }: FastifyRequest) => ({
  authorization: headers.authorization,
  protocols: headers['sec-websocket-protocol'],
})

const socketOptions = {
  maxPayload: maxMessageBytes,
  // How long one that is closed may keep what it has not read.
  closeTimeout: 5000,
  // Never the one that carries the session: an answer's headers are shown in more places than a request's.
  handleProtocols: (offered: Set<string>) => (offered.has(socketProtocol) ? socketProtocol : false),
}

/** The session that a page which connects is about to prove: what others ask for must not keep it out. */
function sessionAsked(request: FastifyRequest, sessions: Sessions): string | null {
  if (pathOf(request) !== sessionPaths.challenge) return null
  const { success, data } = challengeQuerySchema.safeParse(request.query)
  return success && sessions.knows(data.id) ? data.id : null
}

function registerApi(fastify: FastifyInstance, { calls, context }: HttpServerOptions): void {
  // Bodies are read by the handler itself, within fastify's limit.
  fastify.all(`${apiPath}/*`, async (request, reply) => {
    const { matched } = await calls.openApi.handle(request, reply, { prefix: apiPath, context })
    if (!matched) {
      return sendError(reply, 'NOT_FOUND', `There is no procedure at ${request.method} ${pathOf(request)}.`)
    }
    return reply
  })
}

/** What the API offers, the same for every installation: it tells nothing of this one, so a link can open it. */
async function registerDescription(fastify: FastifyInstance, version: string): Promise<void> {
  const document = await openApiDocument(version)
  // The same bytes for everybody, however many do not read them.
  const json = Buffer.from(JSON.stringify(document))
  const page = Buffer.from(openApiPage(document))
  fastify.get('/api/openapi.json', (_request, reply) => reply.type('application/json').send(json))
  fastify.get('/api/docs', (_request, reply) => reply.type('text/html').send(page))
}

/** For who is signed in already: launch tokens for further pages, and whether the session still holds. */
function registerLaunch(fastify: FastifyInstance, sessions: Sessions): void {
  fastify.get(sessionPaths.session, (_request, reply) => reply.code(204).send())
  fastify.post(sessionPaths.launch, (_request, reply) =>
    reply.header('cache-control', 'no-store').send({ token: sessions.mintLaunchToken() }),
  )
  fastify.post(sessionPaths.launchState, (request, reply) => {
    const { success, data } = signInSchema.safeParse(request.body)
    if (!success) return sendError(reply, 'BAD_INPUT', 'The body must be {"token": "..."}.')
    return reply.send({ isPending: sessions.isPending(data.token) })
  })
}

function registerSignIn(
  fastify: FastifyInstance,
  { sessions, token, live }: HttpServerOptions,
  withinMs: number,
): void {
  const onRequest: Hook = async ({ raw }, reply) => {
    const late = live.clock.after(withinMs, () => {
      if (!raw.complete) raw.destroy()
    })
    for (const over of [raw, reply.raw]) over.once('close', () => late[Symbol.dispose]())
  }
  // Whoever guesses must not keep others out, and only its token tells a sign-in from a guess: what fails is limited.
  const limit = fastify.rateLimit()
  const options = { bodyLimit: maxSignInBytes, onRequest, config: { rateLimit: false } } as const
  fastify.post(sessionPaths.session, options, async (request, reply) => {
    const { success, data } = signInSchema.safeParse(request.body)
    const session = success && (sameText(data.token, token) ? sessions.open() : sessions.exchange(data.token))
    if (session) return reply.header('cache-control', 'no-store').send({ session })
    await limit.call(fastify, request, reply)
    return success
      ? sendError(reply, 'UNAUTHENTICATED', errorCatalogue.UNAUTHENTICATED.title)
      : sendError(reply, 'BAD_INPUT', 'The body must be {"token": "..."}.')
  })
}

/** The server proves itself before the page does: whoever took its port meanwhile cannot. */
function registerChallenge(
  fastify: FastifyInstance,
  sessions: Sessions,
  rules: Pick<AccessRules, 'hosts'>,
): void {
  fastify.get(sessionPaths.challenge, (request, reply) => {
    const { success, data } = challengeQuerySchema.safeParse(request.query)
    if (!success) return sendError(reply, 'BAD_INPUT', 'The query must have id, host and nonce.')
    // Else somebody at another port could have the page's proof made out to him, and hand it on to this one.
    if (!rules.hosts.has(data.host)) return sendError(reply, 'FORBIDDEN', 'This server has another address.')
    const challenge = sessions.challenge(data)
    if (challenge === null) return sendError(reply, 'UNAUTHENTICATED', errorCatalogue.UNAUTHENTICATED.title)
    return reply.header('cache-control', 'no-store').send(challenge)
  })
}

async function registerScreens(
  fastify: FastifyInstance,
  options: HttpServerOptions,
  siteGuard: Hook,
): Promise<void> {
  await fastify.register(async (screens) => {
    screens.addHook('onRequest', siteGuard)
    await screens.register(fastifyStatic, { root: options.screens, index: false, wildcard: false })
    const page = (reply: FastifyReply) => reply.header('cache-control', 'no-cache').sendFile('index.html')
    for (const view of ['/', ...views]) screens.get(view, (_request, reply) => page(reply))
    const notFound = (request: FastifyRequest, reply: FastifyReply) => {
      // A person at an address that does not exist gets the app, which says so and leads back; a program gets JSON.
      if (isForPerson(request)) return page(reply.code(404))
      return sendError(reply, 'NOT_FOUND', `Nothing is served at ${request.method} ${pathOf(request)}.`)
    }
    const limit = fastify.rateLimit()
    screens.setNotFoundHandler({ preHandler: limit }, notFound)
    // Before a body is read, which may never come.
    screens.addHook('onRequest', async function (request, reply) {
      if (!request.is404) return
      await limit.call(fastify, request, reply)
      return notFound(request, reply)
    })
  })
}

function isForPerson(request: FastifyRequest): boolean {
  const isProgram = /^\/(api|health|metrics|session)(\/|$)/.test(pathOf(request))
  return request.method === 'GET' && !isProgram && /\btext\/html\b/.test(request.headers.accept ?? '')
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
    throw new AppError('UNAVAILABLE', `Cannot listen on ${address} port ${port}: ${why}.`, {
      cause: failure,
      remedy:
        'Stop the other program, or choose another port: pilothouse serve --port PORT (0 chooses a free one).',
    })
  }
}
