import { implement } from '@orpc/server'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CallServer, startHttpServer } from '../../../src/adapters/transports/index.ts'
import {
  operations,
  planSchema,
  judgeLimitsSchema,
  type AuditEntry,
  type Deployment,
  type Release,
  type RollbackOutcome,
  type ServiceState,
} from '../../../src/contract/index.ts'
import type { CallContext } from '../../../src/engine/api/index.ts'
import { AppError, Disposables, silentLog } from '../../../src/engine/core/index.ts'
import { announceServer } from '../../../src/hosts/server-file.ts'
import { scriptedEngine } from '../../support/scripted-engine.ts'

export const aDeployment = (changes: Partial<Deployment> = {}): Deployment => ({
  id: 'd1',
  service: 'shop',
  stableReleaseId: 'r1',
  candidateReleaseId: 'r2',
  phase: 'stepping',
  pauseCause: null,
  reason: '',
  plan: planSchema.parse({
    strategy: 'canary',
    preset: null,
    steps: [
      { weight: 10, holdMs: 60_000 },
      { weight: 50, holdMs: 60_000 },
    ],
    limits: judgeLimitsSchema.parse({}),
    metricsEveryMs: 30_000,
    onFailure: 'rollback',
    onInconclusive: 'pause',
    maxTimeMs: 3_600_000,
    progressDeadlineMs: 60_000,
    instances: 2,
    startAtOnce: 1,
    skipAnalysis: false,
    isFix: false,
    keepStableWarmMs: 0,
    hooks: [],
  }),
  stepIndex: 0,
  stepStartedAtMs: 0,
  weight: 10,
  validation: null,
  judgement: null,
  log: [],
  createdBy: 'ann',
  why: '',
  createdAtMs: 1_700_000_000_000,
  endedAtMs: null,
  revision: 3,
  ...changes,
})

const aSli = (requestsPerSecond: number) => ({
  windowMs: 60_000,
  requestsPerSecond,
  errorRatio: 0.0234,
  p50Ms: 4,
  p95Ms: 20,
  p99Ms: 40,
  inFlight: 1,
})

const aService: ServiceState = {
  name: 'shop',
  origin: 'file',
  environment: 'production',
  target: 'edge',
  router: 'edge',
  address: 'http://127.0.0.1:8080',
  stableReleaseId: 'r1',
  candidateReleaseId: 'r2',
  deploymentId: 'd1',
  weights: { r1: 90, r2: 10 },
  instances: [],
  sli: { '': aSli(12.5), r1: aSli(11) },
  automationStopped: null,
  maxErrorRatio: 0.05,
  trouble: '',
  revision: 1,
  updatedAtMs: 0,
}

const anEntry: AuditEntry = {
  seq: 1,
  atMs: 0,
  actor: 'ann',
  action: 'deployments.start',
  target: 'shop',
  why: 'a \u001b[31mfix',
  details: {},
  previousHash: '',
  hash: 'x',
}

/** What a test sets beforehand, and what the engine was asked for. */
export interface Script {
  deployment: Deployment
  canDeploy: boolean
  isAuditWhole: boolean
  outcomes: RollbackOutcome[]
  calls: { name: string; input: unknown }[]
}

export interface ScriptedOperations extends AsyncDisposable {
  script: Script
  url: string
  /** Puts a newer state of the deployment on the live channel. */
  show(deployment: Deployment): void
}

export const token = 'the-token-of-this-launch'

/** An engine whose operations answer from a script, behind the real HTTP server, announced in `dataDirectory`. */
export async function serveScriptedOperations(dataDirectory: string): Promise<ScriptedOperations> {
  const script: Script = {
    deployment: aDeployment(),
    canDeploy: true,
    isAuditWhole: true,
    outcomes: [],
    calls: [],
  }
  const held = new Disposables()
  const screens = await mkdtemp(join(tmpdir(), 'pilothouse-screens-'))
  held.defer(() => rm(screens, { recursive: true }))
  await writeFile(join(screens, 'index.html'), '<!doctype html>')
  const { engine } = scriptedEngine()
  held.use(engine)
  const http = held.use(
    await startHttpServer({
      address: '127.0.0.1',
      port: 0,
      token,
      allowedHosts: [],
      screens,
      version: '1',
      calls: new CallServer(
        { ...engine.router, ...scripted(script) } as unknown as typeof engine.router,
        silentLog,
      ),
      live: { store: engine.live, feed: engine.feed, clock: engine.parts.clock, epoch: 'e', version: '1' },
      context: { role: 'admin', actor: 'test' },
      health: {
        readiness: () => ({ ready: true, body: {} }),
        metricsJson: () => ({}),
        metricsText: () => Promise.resolve({ contentType: 'text/plain', body: '' }),
      },
      log: silentLog,
    }),
  )
  const { origin } = new URL(http.url)
  held.use(await announceServer(dataDirectory, { url: origin, token, pid: process.pid }))
  return {
    script,
    url: origin,
    show: (deployment) => engine.live.put(`deployment:${deployment.id}`, deployment),
    [Symbol.asyncDispose]: () => held[Symbol.asyncDispose](),
  }
}

function scripted(script: Script) {
  const os = implement(operations).$context<CallContext>()
  const heard = (name: string, input: unknown) => script.calls.push({ name, input })
  const validation = () => ({
    canDeploy: script.canDeploy,
    results: [
      {
        name: 'smoke test',
        critical: true,
        outcome: script.canDeploy ? ('passed' as const) : ('failed' as const),
        text: 'the first page answers',
        output: script.canDeploy ? '' : 'got 500',
        durationMs: 12,
        attempts: 1,
      },
    ],
    passed: script.canDeploy ? 1 : 0,
    failed: script.canDeploy ? 0 : 1,
    warnings: 0,
    durationMs: 12,
  })
  const order = (name: 'pause' | 'resume' | 'skip' | 'promote' | 'abort') =>
    os.deployments[name].handler(({ input }) => {
      heard(name, input)
      if (input.expectedRevision !== script.deployment.revision)
        throw new AppError('CONFLICT', 'Somebody else changed this deployment first.')
      return script.deployment
    })
  const release = (id: string): Release => ({
    service: 'shop',
    id,
    artifact: { kind: 'command', argv: ['node', 'shop.js'], env: {} },
    parameters: {},
    note: '',
    createdAtMs: 0,
    createdBy: 'ann',
  })
  return {
    services: {
      list: os.services.list.handler(() => [aService]),
    },
    releases: {
      list: os.releases.list.handler(({ input }) => (input.service === 'shop' ? [release('r1')] : [])),
      create: os.releases.create.handler(({ input }) => {
        heard('create', input)
        return { ...release(input.id), artifact: input.artifact, parameters: input.parameters }
      }),
      compare: os.releases.compare.handler(({ input }) => ({
        from: release(input.from),
        to: release(input.to),
        differences: [{ path: 'parameters.workers', from: '2', to: '4' }],
        metrics: [{ metric: 'errorRatio' as const, from: 0.001, to: null }],
      })),
    },
    deployments: {
      list: os.deployments.list.handler(({ input }) => {
        heard('list', input)
        return input.service && input.service !== script.deployment.service ? [] : [script.deployment]
      }),
      get: os.deployments.get.handler(({ input }) => {
        if (input.id !== script.deployment.id)
          throw new AppError('NOT_FOUND', `There is no deployment ${input.id}.`)
        return script.deployment
      }),
      rehearse: os.deployments.rehearse.handler(({ input }) => {
        heard('rehearse', input)
        return { plan: script.deployment.plan, stableReleaseId: 'r1', validation: validation() }
      }),
      start: os.deployments.start.handler(({ input }) => {
        heard('start', input)
        return script.deployment
      }),
      pause: order('pause'),
      resume: order('resume'),
      skip: order('skip'),
      promote: order('promote'),
      abort: order('abort'),
    },
    rollback: {
      emergency: os.rollback.emergency.handler(({ input }) => {
        heard('rollback', input)
        return script.outcomes
      }),
    },
    audit: {
      list: os.audit.list.handler(() => [anEntry]),
      verify: os.audit.verify.handler(() => ({
        isWhole: script.isAuditWhole,
        entryCount: 9,
        firstBrokenSeq: script.isAuditWhole ? null : 4,
        text: script.isAuditWhole
          ? '9 entries, the chain is whole.'
          : 'Entry 4 does not follow from entry 3.',
      })),
      export: os.audit.export.handler(({ input }) => ({ name: 'audit', text: `as ${input.format}\n` })),
    },
  }
}
