import { AppError, fail, ok, type Result } from '../../../src/base/index.ts'
import { type AuditEntry, type Bin, type Deployment, type Release } from '../../../src/contract/index.ts'
import { chainStart, link } from '../../../src/engine/audit/index.ts'
import type { JudgeMemory } from '../../../src/engine/canary/index.ts'
import type {
  Commit,
  DeploymentStore,
  OpenDeployment,
  ServiceRecord,
  StoredEvent,
} from '../../../src/engine/deployments/index.ts'
import type { Wire } from './faults.ts'
import { notFound } from './sim-target.ts'

/** What is on disk: a commit is all there or not at all. Outlives engines. */
export class SimStore {
  readonly events = new Map<string, StoredEvent[]>()
  readonly deployments = new Map<string, Deployment>()
  readonly services = new Map<string, ServiceRecord>()
  readonly releases = new Map<string, Release>()
  readonly audit: AuditEntry[] = []
  readonly bins = new Map<string, Bin[]>()
  /** Told of each event that is on disk now. */
  onEvent: (event: StoredEvent) => void = () => undefined
  readonly #evidence = new Map<string, { memory: JudgeMemory | null; cursor: string | null }>()

  /** As one engine reaches it. */
  behind(wire: Wire): DeploymentStore {
    const read = <T>(name: string, act: () => Result<T>) => wire.call('store', `store.${name}`, act)
    return {
      commit: (commit) =>
        wire.call('store', `store.commit ${commit.events.map(({ event }) => event.kind).join(',')}`, () =>
          this.commit(commit),
        ),
      services: () => read('services', () => ok([...this.services.values()])),
      declarations: () => read('declarations', () => ok([])),
      open: () => read('open', () => ok(this.open())),
      events: (id) => read('events', () => ok(this.events.get(id) ?? [])),
      deployment: (id) =>
        read('deployment', () => {
          const found = this.deployments.get(id)
          return found ? ok(found) : notFound(`no deployment ${id}`)
        }),
      deployments: ({ service, phases, limit }) =>
        read('deployments', () =>
          ok(
            [...this.deployments.values()]
              .filter(
                (each) => (!service || each.service === service) && (!phases || phases.includes(each.phase)),
              )
              .reverse()
              .slice(0, limit),
          ),
        ),
      release: (_, id) =>
        read('release', () => {
          const found = this.releases.get(id)
          return found ? ok(found) : notFound(`no release ${id}`)
        }),
      releases: () => read('releases', () => ok([...this.releases.values()])),
      traffic: () => read('traffic', () => ok([])),
      keepTraffic: () => Promise.resolve(ok(undefined)),
      bins: (id) => read('bins', () => ok(this.bins.get(id) ?? [])),
      audit: () => read('audit', () => ok([...this.audit].reverse())),
      auditFrom: (fromSeq, limit) =>
        read('auditFrom', () => ok(this.audit.slice(fromSeq - 1, fromSeq - 1 + limit))),
      auditEnd: () => read('auditEnd', () => ok(this.audit.at(-1) ?? chainStart)),
      [Symbol.asyncDispose]: async () => undefined,
    }
  }

  open(): OpenDeployment[] {
    return [...this.deployments.values()]
      .filter(({ endedAtMs }) => endedAtMs === null)
      .map(({ id }) => ({
        events: this.events.get(id) ?? [],
        ...(this.#evidence.get(id) ?? { memory: null, cursor: null }),
      }))
  }

  commit(commit: Commit): Result<void> {
    const heads = new Map<string, number>()
    for (const { deploymentId, seq } of commit.events) {
      const head = heads.get(deploymentId) ?? this.events.get(deploymentId)?.length ?? 0
      if (seq !== head + 1) return fail(new AppError('CONFLICT', `event ${seq} of ${deploymentId} is taken`))
      heads.set(deploymentId, seq)
    }
    for (const service of commit.services) {
      const known = this.services.get(service.name)
      if (known && service.revision <= known.revision)
        return fail(new AppError('CONFLICT', `${service.name} is at revision ${known.revision}`))
    }
    for (const release of commit.releases) this.releases.set(release.id, release)
    for (const event of commit.events) {
      const known = this.events.get(event.deploymentId) ?? []
      known.push(event)
      this.events.set(event.deploymentId, known)
      this.onEvent(event)
    }
    for (const deployment of commit.deployments) this.deployments.set(deployment.id, deployment)
    for (const service of commit.services) this.services.set(service.name, service)
    for (const { deploymentId, bins, memory, cursor } of commit.evidence) {
      this.bins.set(deploymentId, [...(this.bins.get(deploymentId) ?? []), ...bins])
      this.#evidence.set(deploymentId, { memory, cursor })
    }
    for (const draft of commit.audit) this.audit.push(link(this.audit.at(-1) ?? chainStart, draft))
    return ok(undefined)
  }
}
