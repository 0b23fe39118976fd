import { edgeCapabilities } from '../../src/adapters/platforms/edge/index.ts'
import { implement } from '@orpc/server'
import { fileURLToPath } from 'node:url'
import { AppError, silentLog } from '../../src/base/index.ts'
import { systemClock, systemRng } from '../../src/adapters/system/index.ts'
import { CallServer, Sessions, startHttpServer } from '../../src/adapters/transports/index.ts'
import {
  actorOf,
  engineActor,
  contract,
  isOutdated,
  latencyBoundsMs,
  operator,
  type AuditEntry,
  type DeploymentCommand,
  type Bin,
  type Deployment,
  type LiveRecords,
  type LogLine,
  type Notice,
  type Release,
  type RollbackOutcome,
  type ServiceState,
  type Validation,
  type WayBack,
  type Actor,
} from '../../src/contract/index.ts'
import { compactBins } from '../../src/engine/canary/index.ts'
import { buildPlan } from '../../src/engine/deployments/index.ts'
import type { CallContext } from '../../src/engine/identity/index.ts'
import { scriptedEngine } from './scripted-engine.ts'
import { uneventful } from './uneventful.ts'
import { serviceConcerns, serviceHealth } from '../../src/engine/services/index.ts'
import { combineHealth, type MetricSource } from '../../src/engine/telemetry/index.ts'
import { person } from './person.ts'

/** What the script answers; the rest of the table is the real engine's. */
const steering = {
  services: contract.services,
  releases: contract.releases,
  deployments: contract.deployments,
  rollback: contract.rollback,
  audit: contract.audit,
}

/**
 * A server with the built screens whose services and deployments are what the test says, over the real contract and
 * the real live protocol: for states of screens that a real fleet takes minutes, or a disaster, to come to.
 */
export interface ScriptedFleet extends AsyncDisposable {
  url: string
  service(name: string): ServiceState
  deployment(id: string): Deployment
  putService(name: string, change: Partial<ServiceState>): void
  putDeployment(id: string, change: Partial<Deployment>): void
  /** Orders of emergency rollback as they arrived: the services named, or undefined for all. */
  readonly rollbacks: readonly (readonly string[] | undefined)[]
  /** Lets the next orders of rollback wait until the result is called. */
  holdRollbacks(): () => void
  /** The same of rehearsals of a deployment. */
  holdRehearsals(): () => void
  /** The same of lists of releases. */
  holdReleases(): () => void
  /** Answers of further rollbacks for a service instead of success. */
  failRollback(service: string, text: string): void
}

const planned = buildPlan({ preset: 'balanced' })
if (!planned.ok) throw planned.error
const plan = planned.value

export interface ScriptedFleetOptions {
  isEmpty?: boolean
  environment?: string
  /** So many further services, whose figures change once a second. */
  busyServiceCount?: number
  /** So many events among what changed lately. */
  eventCount?: number
  /** Where the figures of the host come from, and how often; one made-up series, many times a second, without. */
  host?: { source: MetricSource; intervalMs: number }
}

export async function startScriptedFleet({
  isEmpty = false,
  environment = 'development',
  busyServiceCount = 0,
  eventCount = 0,
  host,
}: ScriptedFleetOptions = {}): Promise<ScriptedFleet> {
  const clock = systemClock()
  const begunMs = clock.nowMs()
  const { engine } = scriptedEngine(1, host ? { host: host.source, intervalMs: host.intervalMs } : {})
  const services = new Map<string, ServiceState>()
  // Of these services the engine here knows nothing: what it says of health is completed with theirs.
  const put: (key: 'health', value: LiveRecords['health']) => void = engine.live.put.bind(engine.live)
  let ownHealth: LiveRecords['health'] | undefined
  const showHealth = () => {
    if (!ownHealth) return
    const members = [...services.values()].flatMap(({ name, weights, ...service }) => {
      const concerns = serviceConcerns({ weights, ...service }, service.updatedAtMs)
      const health = serviceHealth(
        name,
        concerns,
        service.stableReleaseId !== null || Object.keys(weights).length > 0,
      )
      return health ? [{ health, lastScore: health.score }] : []
    })
    const { newestSampleMs = null } = ownHealth
    const whole = combineHealth([{ health: ownHealth, lastScore: ownHealth.score }, ...members])
    put('health', { ...whole, newestSampleMs })
  }
  engine.live.put = (key, value) => {
    if (key !== 'health') return put(key as 'health', value as LiveRecords['health'])
    ownHealth = value as LiveRecords['health']
    showHealth()
  }
  const deployments = new Map<string, Deployment>()
  const history: Deployment[] = []
  const audit: AuditEntry[] = []
  const rollbacks: (readonly string[] | undefined)[] = []
  const failing = new Map<string, string>()
  let held: Promise<void> = Promise.resolve()
  let rehearsalsHeld: Promise<void> = Promise.resolve()
  let releasesHeld: Promise<void> = Promise.resolve()

  const putService = (name: string, change: Partial<ServiceState>) => {
    const before = services.get(name)
    if (!before) throw new Error(`no service ${name}`)
    const changed = { ...before, ...change, revision: before.revision + 1, updatedAtMs: clock.nowMs() }
    const next = 'wayBack' in change ? changed : { ...changed, wayBack: wayBackOfCanary(changed) }
    services.set(name, next)
    engine.live.put(`service:${name}`, { ...next, concerns: serviceConcerns(next, next.updatedAtMs) })
    showHealth()
  }
  const putDeployment = (id: string, change: Partial<Deployment>) => {
    const before = deployments.get(id)
    if (!before) throw new Error(`no deployment ${id}`)
    const next = { ...before, ...change, revision: before.revision + 1 }
    deployments.set(id, next)
    engine.live.put(`deployment:${id}`, next)
  }
  const addService = (service: ServiceState) => {
    services.set(service.name, service)
    engine.live.put(`service:${service.name}`, {
      ...service,
      concerns: serviceConcerns(service, service.updatedAtMs),
    })
    showHealth()
  }
  const addDeployment = (deployment: Deployment) => {
    deployments.set(deployment.id, deployment)
    engine.live.put(`deployment:${deployment.id}`, deployment)
  }
  const record = (
    actor: Actor,
    action: string,
    target: string,
    why: string,
    details: Record<string, unknown> = {},
  ) => {
    const seq = audit.length + 1
    const hash = (n: number) => n.toString(16).padStart(64, '0')
    audit.push({
      seq,
      atMs: clock.nowMs(),
      actor,
      action,
      target,
      why,
      details,
      previousHash: hash(seq - 1),
      hash: hash(seq),
    })
  }
  const note = (
    id: string,
    severity: 'info' | 'warning',
    actor: Actor,
    text: string,
    change: Partial<Deployment>,
  ) => {
    const { log, revision } = deploymentOrThrow(id)
    putDeployment(id, {
      ...change,
      personRevision: revision + 1,
      log: [...log, { atMs: clock.nowMs(), severity, actor, text }],
    })
  }
  const deploymentOrThrow = (id: string): Deployment => {
    const found = deployments.get(id) ?? history.find((each) => each.id === id)
    if (!found) throw new AppError('NOT_FOUND', `There is no deployment "${id}".`)
    return found
  }
  const serviceOrThrow = (name: string): ServiceState => {
    const found = services.get(name)
    if (!found) throw new AppError('NOT_FOUND', `There is no service "${name}".`)
    return found
  }

  if (!isEmpty) {
    for (const service of someServices(begunMs, environment)) addService(service)
    addDeployment(someDeployment(begunMs))
    history.push(...someHistory(begunMs))
    for (const past of history.slice(0, 40).toReversed())
      record(past.createdBy, 'deployments.request', past.service, past.why, {
        releaseId: past.candidateReleaseId,
      })
  }

  const busy = Array.from({ length: busyServiceCount }, (_, n) => `busy-${String(n + 1).padStart(2, '0')}`)
  for (const name of busy) addService(someService(name, begunMs, environment, {}))
  // Each at its own moment of the second, as their routers are asked.
  let turn = 0
  const stir = clock.every(1000 / Math.max(1, busy.length), () => {
    const name = busy[turn % Math.max(1, busy.length)]
    turn += 1
    if (name !== undefined) putService(name, { sli: { '': sli(80 + (turn % 40), 0.001, 20 + (turn % 9)) } })
  })
  if (eventCount > 0) engine.live.put('notices', someNotices(eventCount, begunMs))

  const api = implement(steering).$context<CallContext>()
  const command = (
    kind: Exclude<DeploymentCommand, 'retry' | 'undo'>,
    change: (of: Deployment) => Partial<Deployment>,
  ) =>
    api.deployments[kind].handler(({ input, context }) => {
      const seen = deploymentOrThrow(input.id)
      if (input.expectedRevision !== null && isOutdated(kind, input.expectedRevision, seen))
        throw new AppError('CONFLICT', `${seen.id} has changed since: it is at revision ${seen.revision}`)
      note(
        seen.id,
        'warning',
        actorOf(context.principal),
        `${context.principal.name} did: ${kind}`,
        change(seen),
      )
      record(actorOf(context.principal), `deployments.${kind}`, seen.id, input.why)
      return deploymentOrThrow(seen.id)
    })
  const router = api.router({
    services: {
      list: api.services.list.handler(() => [...services.values()]),
      logs: api.services.logs.handler(({ input }) => someLines(serviceOrThrow(input.service), clock.nowMs())),
      bins: api.services.bins.handler(({ input }) =>
        compactBins(someBins(input.fromMs, clock.nowMs(), begunMs), input.stepMs ?? 1000),
      ),
      declaration: api.services.declaration.handler(({ input }) => {
        throw new AppError('NOT_FOUND', `There is no service "${input.service}".`)
      }),
      declare: api.services.declare.handler(() => {
        throw new AppError('CONFLICT', 'cart is defined in the configuration file: change it there')
      }),
      remove: api.services.remove.handler(() => {
        throw new AppError('CONFLICT', 'checkout is defined in the configuration file: remove it there first')
      }),
      restart: api.services.restart.handler(({ input, context }) => {
        record(actorOf(context.principal), 'services.restart', input.service, input.why)
        const { instances } = serviceOrThrow(input.service)
        return { service: input.service, instanceIds: instances.map(({ id }) => id) }
      }),
      resume: api.services.resume.handler(({ input, context }) => {
        putService(input.service, { automationStopped: null })
        record(actorOf(context.principal), 'services.resume', input.service, input.why)
        return serviceOrThrow(input.service)
      }),
    },
    releases: {
      list: api.releases.list.handler(async ({ input }) => {
        await releasesHeld
        return someReleases(input.service, begunMs)
      }),
      create: api.releases.create.handler(({ input, context }) => ({
        ...input,
        createdAtMs: clock.nowMs(),
        createdBy: actorOf(context.principal),
      })),
      compare: api.releases.compare.handler(({ input }) => {
        const find = (id: string) => {
          const found = someReleases(input.service, begunMs).find((release) => release.id === id)
          if (!found) throw new AppError('NOT_FOUND', `There is no release "${id}".`)
          return found
        }
        return {
          from: find(input.from),
          to: find(input.to),
          differences: [{ path: 'parameters.currency', from: 'units', to: 'minor units' }],
          metrics: [
            { metric: 'errorRatio', from: 0.003, to: 0.024 },
            { metric: 'p95Ms', from: 41.5, to: 43.1 },
          ],
        }
      }),
    },
    deployments: {
      list: api.deployments.list.handler(({ input }) => {
        const all = [...deployments.values(), ...history].filter(
          (each) =>
            (!input.service || each.service === input.service) &&
            (!input.phases || input.phases.includes(each.phase)) &&
            (!input.text || `${each.service} ${each.candidateReleaseId} ${each.why}`.includes(input.text)),
        )
        const from = input.beforeId ? all.findIndex(({ id }) => id === input.beforeId) + 1 : 0
        return all.slice(from, from + input.limit)
      }),
      get: api.deployments.get.handler(({ input }) => deploymentOrThrow(input.id)),
      bins: api.deployments.bins.handler(({ input }) => {
        const { createdAtMs, endedAtMs } = deploymentOrThrow(input.id)
        return endedAtMs === null
          ? someBins(begunMs - 240_000, clock.nowMs(), begunMs)
          : someBins(createdAtMs - 60_000, endedAtMs, createdAtMs + 180_000)
      }),
      rehearse: api.deployments.rehearse.handler(async ({ input }) => {
        await rehearsalsHeld
        const made = buildPlan({ preset: 'balanced' }, input.options)
        if (!made.ok) throw made.error
        return {
          plan: made.value,
          stableReleaseId: serviceOrThrow(input.service).stableReleaseId,
          validation: someValidation,
          capabilities: someCapabilities,
        }
      }),
      start: api.deployments.start.handler(({ input, context }) => {
        const id = `${input.service}-${input.releaseId}-${deployments.size + 1}`
        addDeployment({
          ...someDeployment(clock.nowMs()),
          id,
          service: input.service,
          candidateReleaseId: input.releaseId,
          why: input.why,
          createdBy: actorOf(context.principal),
          createdAtMs: clock.nowMs(),
        })
        record(actorOf(context.principal), 'deployments.request', input.service, input.why, {
          releaseId: input.releaseId,
        })
        return deploymentOrThrow(id)
      }),
      pause: command('pause', () => ({ phase: 'paused', reason: 'Somebody paused it' })),
      resume: command('resume', () => ({ phase: 'stepping' })),
      skip: command('skip', ({ stepIndex }) => ({
        stepIndex: stepIndex + 1,
        weight: plan.steps[stepIndex + 1]?.weight ?? 100,
      })),
      promote: command('promote', () => ({
        phase: 'promoting',
        weight: 100,
        stepIndex: plan.steps.length,
        stepStartedAtMs: null,
      })),
      abort: command('abort', () => ({ phase: 'rolling_back', weight: 0, stepStartedAtMs: null })),
      retry: api.deployments.retry.handler(({ input }) => deploymentOrThrow(input.id)),
      undo: api.deployments.undo.handler(() => {
        throw new AppError('NO_HEALTHY_INSTANCE', 'r41 never became healthy.')
      }),
    },
    rollback: {
      emergency: api.rollback.emergency.handler(async ({ input, context }) => {
        rollbacks.push(input.services)
        const targets = [...services.values()].filter(
          ({ name, candidateReleaseId }) =>
            candidateReleaseId !== null && (!input.services || input.services.includes(name)),
        )
        for (const { name } of targets)
          putService(name, {
            automationStopped: {
              by: actorOf(context.principal),
              atMs: clock.nowMs(),
              reason: input.why || 'emergency rollback',
            },
          })
        await held
        return targets.map(({ name, stableReleaseId, candidateReleaseId }): RollbackOutcome => {
          const failure = failing.get(name)
          const outcome = {
            service: name,
            releaseId: stableReleaseId,
            fromReleaseId: candidateReleaseId,
            tookMs: 84,
          }
          if (failure !== undefined) return { ...outcome, ok: false, releaseId: null, text: failure }
          putService(name, {
            candidateReleaseId: null,
            weights: stableReleaseId ? { [stableReleaseId]: 100 } : {},
          })
          return { ...outcome, ok: true, text: `${stableReleaseId} has all traffic` }
        })
      }),
    },
    audit: {
      list: api.audit.list.handler(({ input }) =>
        audit
          .filter(
            (each) =>
              (!input.actor || each.actor.name === input.actor) &&
              (!input.target || each.target === input.target) &&
              (!input.text || JSON.stringify(each).toLowerCase().includes(input.text.toLowerCase())) &&
              (input.beforeSeq === undefined || each.seq < input.beforeSeq),
          )
          .toReversed()
          .slice(0, input.limit),
      ),
      verify: api.audit.verify.handler(() => ({
        isWhole: true,
        entryCount: audit.length,
        firstBrokenSeq: null,
        text: 'The chain is whole.',
      })),
      unconfirmed: api.audit.unconfirmed.handler(({ input: { order, target }, context: { principal } }) => {
        const why = 'The name typed to confirm it was wrong.'
        record(actorOf(principal), 'orders.refused', target, why, { order, code: 'CONFLICT' })
        return {}
      }),
      export: api.audit.export.handler(({ input }) => ({
        name: `audit.${input.format}`,
        text: audit.map((each) => JSON.stringify(each)).join('\n'),
      })),
    },
  })

  const token = 'a-token-of-a-scripted-fleet'
  engine.start()
  const server = await startHttpServer({
    address: '127.0.0.1',
    port: 0,
    token,
    sessions: new Sessions({ clock, rng: systemRng() }),
    allowedHosts: [],
    screens: fileURLToPath(new URL('../../dist/renderer', import.meta.url)),
    version: '0.1.0',
    calls: new CallServer({ ...engine.router, ...router }, silentLog),
    live: { store: engine.live, feed: engine.feed, clock, epoch: engine.epoch, version: '0.1.0' },
    context: { principal: operator('mira') },
    health: {
      readiness: () => ({ ready: true, body: {} }),
      liveness: () => ({ status: 'alive' }),
      metricsJson: () => ({}),
      metricsText: () => Promise.resolve({ contentType: 'text/plain', body: '' }),
    },
    refused: () => undefined,
    log: silentLog,
  })
  return {
    url: server.launchUrl(),
    service: serviceOrThrow,
    deployment: deploymentOrThrow,
    putService,
    putDeployment,
    rollbacks,
    holdRollbacks: () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      held = promise
      return resolve
    },
    holdRehearsals: () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      rehearsalsHeld = promise
      return resolve
    },
    holdReleases: () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      releasesHeld = promise
      return resolve
    },
    failRollback: (service, text) => void failing.set(service, text),
    [Symbol.asyncDispose]: async () => {
      stir[Symbol.dispose]()
      await server[Symbol.asyncDispose]()
      await engine[Symbol.asyncDispose]()
    },
  }
}

const sli = (requestsPerSecond: number, errorRatio: number, p95Ms: number) => ({
  windowMs: 60_000,
  requestsPerSecond,
  errorRatio,
  p50Ms: p95Ms / 3,
  p95Ms,
  p99Ms: p95Ms * 2,
  inFlight: 4,
})

/** What an engine offers of a service in the middle of a canary. */
function wayBackOfCanary({
  candidateReleaseId: from,
  stableReleaseId: to,
  weights,
  deploymentId,
}: ServiceState): WayBack | null {
  if (from === null || to === null) return null
  const weight = weights[from] ?? 0
  const text = `${from} has ${weight}% of traffic: all of it returns to ${to} at once`
  return { kind: 'shift', from, to, weight, deploymentId, text }
}

const someNotices = (count: number, nowMs: number): Notice[] =>
  Array.from({ length: count }, (_, n): Notice => ({
    id: `event-${n}`,
    atMs: nowMs - n * 30_000,
    severity: (['info', 'ok', 'warning', 'critical'] as const)[n % 4] ?? 'info',
    text: `busy-${String((n % 50) + 1).padStart(2, '0')}: event ${n}`,
    link: n % 3 === 0 ? '/services' : '',
  }))

const someCapabilities = { ...edgeCapabilities.target, ...edgeCapabilities.router }

const someService = (
  name: string,
  nowMs: number,
  environment: string,
  change: Partial<ServiceState>,
): ServiceState => ({
  name,
  origin: 'file',
  environment,
  target: 'edge',
  router: 'edge',
  capabilities: someCapabilities,
  address: 'http://127.0.0.1:8080',
  stableReleaseId: 'r7',
  candidateReleaseId: null,
  deploymentId: null,
  weights: { r7: 100 },
  instances: [1, 2].map((n) => ({
    id: `${name}-r7-${n}`,
    releaseId: 'r7',
    state: 'healthy',
    reason: '',
    address: { kind: 'process', port: 9000 + n, pid: 4000 + n },
    startedAtMs: nowMs - 86_400_000,
    restartCount: 0,
    lastRestart: null,
    inFlight: 2,
    memoryBytes: 48_000_000,
  })),
  sli: { '': sli(310, 0.001, 24) },
  automationStopped: null,
  maxErrorRatio: 0.01,
  concerns: [],
  trouble: '',
  revision: 3,
  updatedAtMs: nowMs,
  ...change,
})

function someServices(nowMs: number, environment: string): ServiceState[] {
  const service = (name: string, change: Partial<ServiceState>) =>
    someService(name, nowMs, environment, change)
  const canary = (name: string, change: Partial<ServiceState>): ServiceState => {
    const made = service(name, change)
    return { ...made, wayBack: wayBackOfCanary(made) }
  }
  const instance = (releaseId: string, n: number, change: object = {}) => ({
    id: `checkout-${releaseId}-${n}`,
    releaseId,
    state: 'healthy' as const,
    reason: '',
    address: { kind: 'process' as const, port: 9100 + n, pid: 5000 + n },
    startedAtMs: nowMs - 360_000,
    restartCount: 0,
    lastRestart: null,
    inFlight: 3,
    memoryBytes: 61_000_000,
    ...change,
  })
  return [
    canary('checkout', {
      stableReleaseId: 'r42',
      candidateReleaseId: 'r43',
      deploymentId: 'checkout-43',
      weights: { r42: 90, r43: 10 },
      instances: [
        instance('r42', 1),
        instance('r42', 2),
        instance('r43', 3),
        instance('r43', 4, { state: 'unhealthy', reason: '/healthz answered 503', restartCount: 2 }),
      ],
      sli: { '': sli(1240, 0.0052, 43), r42: sli(1116, 0.0031, 41), r43: sli(124, 0.0238, 62) },
    }),
    canary('search', {
      stableReleaseId: 'r18',
      candidateReleaseId: 'r19',
      weights: { r18: 75, r19: 25 },
      instances: [],
      trouble: 'The router does not answer: connection refused at its socket.',
    }),
    service('catalogue', {}),
    service('payments', {
      automationStopped: { by: person('jon'), atMs: nowMs - 720_000, reason: 'error burst after r9' },
    }),
  ]
}

function someDeployment(nowMs: number): Deployment {
  const at = (agoMs: number) => nowMs - agoMs
  return {
    id: 'checkout-43',
    service: 'checkout',
    stableReleaseId: 'r42',
    candidateReleaseId: 'r43',
    phase: 'stepping',
    pauseCause: null,
    reason: 'r43 gets 10% of traffic for 5 min',
    plan,
    stepIndex: 0,
    stepStartedAtMs: at(120_000),
    weight: 10,
    validation: someValidation,
    judgement: {
      decision: 'continue',
      text: 'r43 fails more often than r42; it will be rolled back after 2 more judgments like this.',
      atMs: at(4000),
      findings: [
        {
          metric: 'errors',
          unit: 'ratio',
          candidate: 0.0238,
          stable: 0.0031,
          limit: 0.01,
          verdict: 'worse',
          sinceMs: at(30_000),
          text: 'r43 fails 2.4% of requests, r42 0.3%; the limit is 1%',
        },
        {
          metric: 'latency_p95',
          unit: 'ms',
          candidate: 43,
          stable: 41,
          limit: 49,
          verdict: 'same',
          sinceMs: at(90_000),
          text: 'r43 answers as fast as r42',
        },
      ],
    },
    log: [
      {
        atMs: at(190_000),
        severity: 'info',
        actor: person('mira'),
        text: 'mira requested r43 to replace r42: Cart totals in minor units',
      },
      {
        atMs: at(180_000),
        severity: 'warning',
        actor: engineActor,
        text: '11 checks passed, 1 with a warning',
      },
      {
        atMs: at(125_000),
        severity: 'ok',
        actor: engineActor,
        text: 'All 2 instances of r43 are healthy, no traffic yet',
      },
      {
        atMs: at(120_000),
        severity: 'info',
        actor: engineActor,
        text: 'The router sends r43 10% of requests, verified',
      },
      { atMs: at(30_000), severity: 'warning', actor: engineActor, text: 'r43 fails more often than r42' },
    ],
    createdBy: person('mira'),
    why: 'Cart totals in minor units',
    createdAtMs: at(190_000),
    endedAtMs: null,
    revision: 9,
    personRevision: 0,
  }
}

function someHistory(nowMs: number): Deployment[] {
  const ends = ['promoted', 'promoted', 'rolled_back', 'promoted', 'failed'] as const
  return Array.from({ length: 1200 }, (_, n): Deployment => {
    const phase = ends[n % ends.length] ?? 'promoted'
    const createdAtMs = nowMs - (n + 1) * 5_400_000
    return {
      ...someDeployment(createdAtMs + 190_000),
      id: `past-${1200 - n}`,
      service: ['checkout', 'search', 'catalogue'][n % 3] ?? 'checkout',
      stableReleaseId: `r${1241 - n}`,
      candidateReleaseId: `r${1242 - n}`,
      phase,
      reason: phase === 'promoted' ? `r${1242 - n} is the stable release` : 'Errors above the limit',
      createdBy: person(n % 2 ? 'jon' : 'mira'),
      why: `Change ${1242 - n}`,
      endedAtMs: createdAtMs + 900_000,
      stepStartedAtMs: null,
      stepIndex: plan.steps.length,
    }
  })
}

const someValidation: Validation = {
  canDeploy: true,
  passed: 2,
  warnings: 1,
  failed: 0,
  durationMs: 8300,
  results: [
    {
      name: 'artifact',
      critical: true,
      outcome: 'passed',
      text: 'The command is there.',
      output: '',
      durationMs: 12,
      attempts: 1,
    },
    {
      name: 'router',
      critical: true,
      outcome: 'passed',
      text: 'The router answers.',
      output: '',
      durationMs: 40,
      attempts: 1,
    },
    {
      name: 'tax-api',
      critical: false,
      outcome: 'warning',
      text: 'Answers in 480 ms, usually in 120 ms.',
      output: 'HTTP/1.1 200 OK\n480 ms',
      durationMs: 481,
      attempts: 3,
    },
  ],
}

const someReleases = (service: string, nowMs: number): Release[] =>
  ['r44', 'r43', 'r42', 'r41'].map((id, n) => ({
    service,
    id,
    artifact: { kind: 'command', argv: ['node', `${id}.js`], env: {} },
    parameters: { currency: id > 'r42' ? 'minor units' : 'units' },
    note: n === 1 ? 'Cart totals in minor units' : `Release ${id}`,
    createdAtMs: nowMs - n * 86_400_000,
    createdBy: person('mira'),
  }))

/** One of them is what a hostile program would print. */
const someLines = ({ name }: ServiceState, nowMs: number): LogLine[] =>
  Array.from({ length: 60 }, (_, n): LogLine => ({
    atMs: nowMs - (60 - n) * 1000,
    instanceId: `${name}-r43-3`,
    releaseId: 'r43',
    stream: n % 9 === 0 ? 'stderr' : 'stdout',
    text:
      n === 58
        ? '\u001b[31m<img src=x onerror=alert(1)>\u001b[0m \u202egnp.exe'
        : `GET /cart/${n} 200 in ${10 + n} ms`,
  }))

/** Bins of a second: r43 fails more and more, from two minutes before the beginning on. */
function someBins(fromMs: number, toMs: number, begunMs: number): Bin[] {
  const bins: Bin[] = []
  const firstMs = Math.max(Math.ceil(fromMs / 1000) * 1000, begunMs - 240_000)
  const slot = (ms: number) => latencyBoundsMs.findIndex((bound) => bound >= ms)
  for (let atMs = firstMs; atMs < toMs - 1000; atMs += 1000) {
    const ageS = (atMs - begunMs + 120_000) / 1000
    for (const [releaseId, requests, errorRatio, p95] of [
      ['r42', ageS > 0 ? 1116 : 1240, 0.003, 41],
      ['r43', ageS > 0 ? 124 : 0, Math.min(0.03, 0.004 + ageS / 6000), 43],
    ] as const) {
      if (requests === 0) continue
      const wave = 1 + 0.15 * Math.sin(atMs / 7000 + requests)
      const latencyCounts: number[] = Array.from({ length: latencyBoundsMs.length + 1 }, () => 0)
      latencyCounts[slot(p95 * 0.4)] = Math.round(requests * 0.9)
      latencyCounts[slot(p95 * wave)] = Math.round(requests * 0.1)
      bins.push({
        atMs,
        durationMs: 1000,
        releaseId,
        requests,
        errors: Math.round(requests * errorRatio * wave),
        ...uneventful,
        timeouts: 0,
        inFlight: 3,
        oldestInFlightMs: 20,
        latencyCounts,
      })
    }
  }
  return bins
}
