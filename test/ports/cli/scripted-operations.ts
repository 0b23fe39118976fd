import { edgeCapabilities } from '../../../src/adapters/platforms/edge/index.ts'
import { implement } from '@orpc/server'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AppError, Disposables, silentLog } from '../../../src/base/index.ts'
import { systemClock, systemRng } from '../../../src/adapters/system/index.ts'
import { CallServer, Sessions, startHttpServer } from '../../../src/adapters/transports/index.ts'
import {
  contract,
  endsWarmText,
  judgeLimitsSchema,
  operator,
  planSchema,
  type AuditEntry,
  type Deployment,
  type Release,
  type RollbackOutcome,
  type ServiceState,
} from '../../../src/contract/index.ts'
import type { CallContext } from '../../../src/engine/identity/index.ts'
import { announceServer } from '../../../src/hosts/server-file.ts'
import { scriptedEngine } from '../../support/scripted-engine.ts'
import { person } from '../../support/person.ts'

const capabilities = { ...edgeCapabilities.target, ...edgeCapabilities.router }

/** What the script answers; the rest of the table is the real engine's. */
const steering = {
  services: contract.services,
  releases: contract.releases,
  deployments: contract.deployments,
  rollback: contract.rollback,
  audit: contract.audit,
}

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
  createdBy: person('ann'),
  why: '',
  createdAtMs: 1_700_000_000_000,
  endedAtMs: null,
  revision: 3,
  personRevision: 0,
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

const wayBack: NonNullable<ServiceState['wayBack']> = {
  kind: 'shift',
  from: 'r2',
  to: 'r1',
  weight: 10,
  deploymentId: 'd1',
  text: 'r2 has 10% of traffic: all of it returns to r1 at once',
}

const aService: ServiceState = {
  name: 'shop',
  origin: 'file',
  environment: 'production',
  target: 'edge',
  router: 'edge',
  capabilities,
  address: 'http://127.0.0.1:8080',
  stableReleaseId: 'r1',
  candidateReleaseId: 'r2',
  deploymentId: 'd1',
  weights: { r1: 90, r2: 10 },
  instances: [],
  concerns: [],
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
  actor: person('ann'),
  action: 'deployments.start',
  target: 'shop',
  why: 'a \u001b[31mfix',
  details: {},
  previousHash: '',
  hash: 'x',
}

/** What a test sets beforehand, and what the engine was asked for. */
interface Script {
  deployment: Deployment
  canDeploy: boolean
  isAuditWhole: boolean
  outcomes: RollbackOutcome[]
  automationStopped: ServiceState['automationStopped']
  wayBack: NonNullable<ServiceState['wayBack']>
  /** Every order is refused. */
  isRefusing: boolean
  timeZone: 'local' | 'utc'
  /** What people and programs wrote freely: notes, reasons, log lines. Null for ordinary words. */
  words: string | null
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
    automationStopped: null,
    wayBack,
    isRefusing: false,
    timeZone: 'local',
    words: null,
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
      sessions: new Sessions({ clock: systemClock(), rng: systemRng() }),
      allowedHosts: [],
      screens,
      version: '1',
      calls: new CallServer(
        { ...engine.router, ...scripted(script) } as unknown as typeof engine.router,
        silentLog,
      ),
      live: { store: engine.live, feed: engine.feed, clock: engine.parts.clock, epoch: 'e', version: '1' },
      context: { principal: operator('test') },
      health: {
        readiness: () => ({ ready: true, body: {} }),
        liveness: () => ({ status: 'alive' }),
        metricsJson: () => ({}),
        metricsText: () => Promise.resolve({ contentType: 'text/plain', body: '' }),
      },
      refused: () => undefined,
      log: silentLog,
    }),
  )
  const { origin } = http
  held.use(await announceServer(dataDirectory, { url: origin, token }))
  return {
    script,
    url: origin,
    show: (deployment) => engine.live.put(`deployment:${deployment.id}`, deployment),
    [Symbol.asyncDispose]: () => held[Symbol.asyncDispose](),
  }
}

function scripted(script: Script) {
  const os = implement(steering).$context<CallContext>()
  const heard = (name: string, input: unknown) => {
    script.calls.push({ name, input })
    if (script.isRefusing && name !== 'list') throw new AppError('CONFLICT', 'Not now.')
  }
  const validation = () => ({
    canDeploy: script.canDeploy,
    results: [
      {
        name: said('smoke test'),
        critical: true,
        outcome: script.canDeploy ? ('passed' as const) : ('failed' as const),
        text: said('the first page answers'),
        output: script.canDeploy ? '' : said('got 500'),
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
  const said = (ordinary: string) => script.words ?? ordinary
  const service = (): ServiceState => ({
    ...aService,
    automationStopped: script.automationStopped,
    wayBack: script.wayBack,
    concerns:
      script.words === null
        ? []
        : [{ kind: 'trouble', severity: 'critical', text: script.words, detail: script.words, sinceMs: 0 }],
    instances:
      script.words === null
        ? []
        : [
            {
              id: 'r1-0123',
              releaseId: 'r1',
              address: { kind: 'process', port: 4001, pid: 12 },
              lastRestart: null,
              memoryBytes: null,
              state: 'unhealthy',
              reason: script.words,
              restartCount: 3,
              inFlight: 1,
              startedAtMs: 0,
            },
          ],
  })
  const declaration = () => ({
    service: 'shop',
    definition: { listen: { port: 8080 }, releases: { r1: { command: ['node', 'shop.js'] } } },
    by: person('ann'),
    atMs: 0,
    revision: 1,
  })
  const release = (id: string): Release => ({
    service: 'shop',
    id,
    artifact: { kind: 'command', argv: ['node', 'shop.js'], env: {} },
    parameters: {},
    note: said(''),
    createdAtMs: 0,
    createdBy: person(said('ann')),
  })
  return {
    config: {
      show: implement(contract)
        .$context<CallContext>()
        .config.show.handler(() => ({
          file: null,
          environment: 'development',
          timeZone: script.timeZone,
          entries: [],
        })),
    },
    services: {
      list: os.services.list.handler(() => [service()]),
      logs: os.services.logs.handler(() => [
        {
          atMs: 0,
          releaseId: 'r1',
          instanceId: 'r1-0123',
          stream: 'stdout' as const,
          text: said('listening'),
        },
      ]),
      declaration: os.services.declaration.handler(({ input }) => {
        if (input.service !== 'shop') throw new AppError('NOT_FOUND', `There is no service ${input.service}.`)
        return declaration()
      }),
      declare: os.services.declare.handler(({ input }) => {
        heard('declare', input)
        return declaration()
      }),
      remove: os.services.remove.handler(({ input }) => {
        heard('remove', input)
        return { service: input.service }
      }),
      restart: os.services.restart.handler(({ input }) => {
        heard('restart', input)
        return { service: input.service, instanceIds: ['r1-0123', 'r1-4567'] }
      }),
      resume: os.services.resume.handler(({ input }) => {
        heard('resume', input)
        if (input.service !== 'shop') throw new AppError('NOT_FOUND', `There is no service ${input.service}.`)
        return service()
      }),
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
        differences: [{ path: 'parameters.workers', from: said('2'), to: said('4') }],
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
        return {
          plan: script.deployment.plan,
          stableReleaseId: 'r1',
          validation: validation(),
          capabilities,
          endsWarm: endsWarmText(script.wayBack),
        }
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
      retry: os.deployments.retry.handler(({ input }) => {
        heard('retry', input)
        return script.deployment
      }),
      undo: os.deployments.undo.handler(({ input }) => {
        heard('undo', input)
        return script.deployment
      }),
    },
    rollback: {
      emergency: os.rollback.emergency.handler(({ input }) => {
        heard('rollback', input)
        return script.outcomes
      }),
    },
    audit: {
      list: os.audit.list.handler(() => [
        { ...anEntry, actor: person(said('ann')), target: said('shop'), why: said(anEntry.why) },
      ]),
      verify: os.audit.verify.handler(() => ({
        isWhole: script.isAuditWhole,
        entryCount: 9,
        firstBrokenSeq: script.isAuditWhole ? null : 4,
        text: script.isAuditWhole
          ? '9 entries, the chain is whole.'
          : 'Entry 4 does not follow from entry 3.',
      })),
      unconfirmed: os.audit.unconfirmed.handler(({ input }) => {
        heard('unconfirmed', input)
        return {}
      }),
      export: os.audit.export.handler(({ input }) => ({
        name: 'audit',
        text: input.format === 'csv' ? 'seq,hash\n' : `${JSON.stringify({ seq: 1, why: said('') })}\n`,
      })),
    },
  }
}
