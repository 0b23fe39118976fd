import type { Deployment, ServiceState } from '../../../../src/contract/index.ts'
import { serviceConcerns } from '../../../../src/engine/services/index.ts'
import { buildPlan } from '../../../../src/engine/deployments/index.ts'
import { person } from '../../../support/person.ts'

const planned = buildPlan({ preset: 'balanced' })
if (!planned.ok) throw planned.error

/** A canary of r43 at its first step, as the engine tells of it. */
export const madeDeployment = (change: Partial<Deployment> = {}): Deployment => ({
  id: 'd1',
  service: 'checkout',
  stableReleaseId: 'r42',
  candidateReleaseId: 'r43',
  phase: 'stepping',
  pauseCause: null,
  reason: '',
  plan: planned.value,
  stepIndex: 0,
  stepStartedAtMs: 1000,
  weight: 10,
  validation: null,
  judgement: null,
  log: [],
  createdBy: person('mira'),
  why: '',
  createdAtMs: 0,
  endedAtMs: null,
  revision: 4,
  personRevision: 0,
  ...change,
})

/** A service with r42 in traffic and well. */
export function madeService(change: Partial<ServiceState> = {}): ServiceState {
  const service = { ...wellService, ...change }
  return { ...service, concerns: change.concerns ?? serviceConcerns(service, service.updatedAtMs) }
}

const wellService: ServiceState = {
  name: 'checkout',
  origin: 'file',
  environment: 'development',
  target: 'edge',
  router: 'edge',
  address: 'http://127.0.0.1:8080',
  stableReleaseId: 'r42',
  candidateReleaseId: null,
  deploymentId: null,
  weights: { r42: 100 },
  instances: [
    {
      id: 'r42-1',
      releaseId: 'r42',
      state: 'healthy',
      reason: '',
      address: { kind: 'process', port: 9000, pid: 1 },
      startedAtMs: 0,
      restartCount: 0,
      lastRestart: null,
      inFlight: 0,
      memoryBytes: null,
    },
  ],
  sli: {},
  concerns: [],
  automationStopped: null,
  maxErrorRatio: 0.01,
  trouble: '',
  revision: 1,
  updatedAtMs: 0,
}
