import { AppError, fail, ok, type Result } from '../../../src/base/index.ts'
import { type AuditEntry, type Bin, type Deployment, type Release } from '../../../src/contract/index.ts'
import { chainStart, link } from '../../../src/engine/audit/index.ts'
import type { JudgeMemory } from '../../../src/engine/canary/index.ts'
import type {
  OpenDeployment,
  ServiceRecord,
  SteeringStores,
  StoredEvent,
} from '../../../src/engine/deployments/index.ts'
import type { Wire } from './faults.ts'
import { notFound } from './sim-target.ts'

type SteeringChange = Parameters<SteeringStores['work']['commit']>[0][number]

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
  behind(wire: Wire): SteeringStores {
    const read = <T>(name: string, act: () => Result<T>) => wire.call('store', `store.${name}`, act)
    return {
      work: {
        commit: (changes) => {
          const events = changes.flatMap((change) =>
            change.kind === 'addEvent' ? [change.event.event.kind] : [],
          )
          return wire.call('store', `store.commit ${events.join(',')}`, () => this.commit(changes))
        },
      },
      services: { find: (name) => read('services', () => ok(this.services.get(name) ?? null)) },
      deployments: {
        openOf: (service) => read('open', () => ok(this.open(service))),
        eventsOf: (id) => read('events', () => ok(this.events.get(id) ?? [])),
        find: (id) =>
          read('deployment', () => {
            const found = this.deployments.get(id)
            return found ? ok(found) : notFound(`no deployment ${id}`)
          }),
        list: ({ service, phases, limit }) =>
          read('deployments', () =>
            ok(
              [...this.deployments.values()]
                .filter(
                  (each) =>
                    (!service || each.service === service) && (!phases || phases.includes(each.phase)),
                )
                .reverse()
                .slice(0, limit),
            ),
          ),
      },
      releases: {
        find: (_, id) =>
          read('release', () => {
            const found = this.releases.get(id)
            return found ? ok(found) : notFound(`no release ${id}`)
          }),
        newest: () => read('releases', () => ok([...this.releases.values()])),
      },
    }
  }

  open(service?: string): OpenDeployment[] {
    return [...this.deployments.values()]
      .filter((each) => each.endedAtMs === null && (service === undefined || each.service === service))
      .map(({ id }) => ({
        events: this.events.get(id) ?? [],
        ...(this.#evidence.get(id) ?? { memory: null, cursor: null }),
      }))
  }

  commit(changes: readonly SteeringChange[]): Result<void> {
    const heads = new Map<string, number>()
    for (const change of changes) {
      if (change.kind === 'addEvent') {
        const { deploymentId, seq } = change.event
        const head = heads.get(deploymentId) ?? this.events.get(deploymentId)?.length ?? 0
        if (seq !== head + 1)
          return fail(new AppError('CONFLICT', `event ${seq} of ${deploymentId} is taken`))
        heads.set(deploymentId, seq)
      }
      if (change.kind === 'putService') {
        const { name, revision } = change.service
        const known = this.services.get(name)
        if (known && revision <= known.revision)
          return fail(new AppError('CONFLICT', `${name} is at revision ${known.revision}`))
      }
    }
    // What an event is checked against when it is told of: the records as they were before.
    const order = ['addRelease', 'addEvent', 'putDeployment', 'putService', 'addEvidence', 'addAudit']
    for (const kind of order) for (const change of changes) if (change.kind === kind) this.#store(change)
    return ok(undefined)
  }

  #store(change: SteeringChange): void {
    switch (change.kind) {
      case 'addRelease':
        this.releases.set(change.release.id, change.release)
        return
      case 'addEvent': {
        const { event } = change
        const known = this.events.get(event.deploymentId) ?? []
        known.push(event)
        this.events.set(event.deploymentId, known)
        this.onEvent(event)
        return
      }
      case 'putDeployment':
        this.deployments.set(change.deployment.id, change.deployment)
        return
      case 'putService':
        this.services.set(change.service.name, change.service)
        return
      case 'addEvidence': {
        const { deploymentId, bins, memory, cursor } = change
        this.bins.set(deploymentId, [...(this.bins.get(deploymentId) ?? []), ...bins])
        this.#evidence.set(deploymentId, { memory, cursor })
        return
      }
      case 'addAudit':
        this.audit.push(link(this.audit.at(-1) ?? chainStart, change.entry))
    }
  }
}
