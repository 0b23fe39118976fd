import type { Actor } from '../../contract/index.ts'
import { AppError, fail, ok, SerialQueue, type Clock, type Result } from '../../base/index.ts'
import { notFoundText, shownPhaseName } from '../../contract/index.ts'
import type { AccountCheck, ServiceConfig } from '../config/index.ts'
import { isSamePlace, readService, withKnownAddresses } from '../config/index.ts'
import { audited, type AuditChange } from '../audit/index.ts'
import { within, type UnitOfWork } from '../core/index.ts'
import {
  newServiceRecord,
  type DeploymentStore,
  type ServiceChange,
  type ServiceStore,
} from '../deployments/index.ts'
import type { ReleaseChange, ReleaseStore } from '../releases/index.ts'
import { changedReleases, newReleases } from './configured-releases.ts'
import type { Declaration, DeclarationChange } from './ports.ts'
import type { Equip, ServiceRegistry } from './registry.ts'

/** What declaring and removing services reads and writes. */
export interface DeclaringStores {
  work: UnitOfWork<DeclarationChange | ServiceChange | ReleaseChange | AuditChange>
  services: ServiceStore
  releases: ReleaseStore
  deployments: Pick<DeploymentStore, 'list'>
}

export interface DeclarationsParts {
  clock: Clock
  stores: DeclaringStores
  registry: ServiceRegistry
  equip: Equip
  warn: (text: string) => void
  accountProblem?: AccountCheck | undefined
}

export interface DeclareRequest {
  service: string
  written: Readonly<Record<string, unknown>>
  by: Actor
  why: string
  /** Of the declaration that the person saw, 0 for none; null for whatever has happened since. */
  expectedRevision: number | null
}

const answerWithinMs = 5000
const leaveAgainMs = 10_000
/** Services that are declared while the engine runs, and how a service goes for good. */
export class Declarations implements Disposable {
  readonly #parts: DeclarationsParts
  readonly #all = new Map<string, Declaration>()
  readonly #retries = new Map<string, Disposable>()
  readonly #queue = new SerialQueue()

  /** `declared` as stored. */
  constructor(parts: DeclarationsParts, declared: readonly Declaration[]) {
    this.#parts = parts
    for (const each of declared) this.#all.set(each.service, each)
  }

  /** Whether something is still to be ended. */
  get isLeaving(): boolean {
    return [...this.#all.values()].some(({ isLeaving }) => isLeaving)
  }

  /** What was declared when an engine ended in the middle of it goes on. */
  start(): void {
    for (const { service, isLeaving } of this.#all.values())
      if (isLeaving) void this.#queue.run(() => this.#leave(service))
  }

  [Symbol.dispose](): void {
    for (const retry of this.#retries.values()) retry[Symbol.dispose]()
  }

  find(service: string): Declaration | undefined {
    return this.#all.get(service)
  }

  /**
   * Declares a service, or changes it. BAD_INPUT with every mistake; CONFLICT where a file says what it is, another listens on its
   * port, it has changed since, or a release would change.
   */
  declare(request: DeclareRequest): Promise<Result<Declaration>> {
    return this.#queue.run(() => this.#declare(request))
  }

  /**
   * Ends a service for good: its traffic, then its instances; its history stays. CONFLICT while a file names it or
   * a deployment of it runs, NOT_FOUND for one that never was.
   */
  remove(service: string, by: Actor, why: string): Promise<Result<void>> {
    return this.#queue.run(() => this.#remove(service, by, why))
  }

  async #declare({
    service,
    written: asked,
    by,
    why,
    expectedRevision,
  }: DeclareRequest): Promise<Result<Declaration>> {
    const { registry, stores, clock } = this.#parts
    const before = this.#all.get(service)
    const written = withKnownAddresses(asked, before?.written ?? {})
    const read = readService(service, written, this.#parts.accountProblem)
    if (!read.ok) return read
    const refused = this.#refusal(read.value, before, expectedRevision)
    if (refused !== null) return fail(new AppError('CONFLICT', refused))
    const atMs = clock.nowMs()
    const found = await newReleases([read.value], { stores, atMs, by })
    if (!found.ok) return found
    const { releases, audit, changed } = found.value
    if (changed.length > 0) return changedReleases(changed)
    const revision = (before?.revision ?? 0) + 1
    const declaration: Declaration = { service, written, by, atMs, revision, isLeaving: false }
    const entry = { atMs, actor: by, action: 'services.declare', target: service, why, details: { revision } }
    const stored = await stores.work.commit([
      ...releases.map((release) => ({ kind: 'addRelease' as const, release })),
      { kind: 'putDeclaration', declaration },
      ...audited([entry, ...audit]),
    ])
    if (!stored.ok) return stored
    this.#all.set(service, declaration)
    await registry.declare(declaredConfigs([...this.#all.values()], this.#parts.warn))
    return ok(declaration)
  }

  #refusal(
    { definition: { name, listen } }: ServiceConfig,
    before: Declaration | undefined,
    expectedRevision: number | null,
  ): string | null {
    const { registry } = this.#parts
    if (registry.isConfigured(name)) return `${name} is defined in the configuration file: change it there`
    if (before?.isLeaving) return `${name} is being removed: declare it again when that is done`
    const revision = before?.revision ?? 0
    if (expectedRevision !== null && expectedRevision !== revision)
      return `${name} has changed since: it is at revision ${revision}, not ${expectedRevision}`
    const neighbour = registry.names.find((other) => {
      const taken = registry.find(other)?.definition.listen
      return other !== name && taken && isSamePlace(taken, listen)
    })
    if (neighbour) return `${neighbour} already listens on ${listen.host}:${listen.port}`
    return registry.server && isSamePlace(registry.server, listen)
      ? `Pilothouse itself listens on ${listen.host}:${listen.port} (server.port): give the service another port, or 0 for a free one`
      : null
  }

  async #remove(service: string, by: Actor, why: string): Promise<Result<void>> {
    const { registry, stores, clock } = this.#parts
    if (registry.isConfigured(service))
      return fail(
        new AppError('CONFLICT', `${service} is defined in the configuration file: remove it there first`),
      )
    const known = await stores.services.find(service)
    if (!known.ok) return known
    const before = this.#all.get(service)
    if (!before && known.value === null)
      return fail(
        new AppError('NOT_FOUND', notFoundText('service', service, registry.names), { details: { service } }),
      )
    const newest = await stores.deployments.list({ service, limit: 1 })
    if (!newest.ok) return newest
    const open = newest.value.find(({ endedAtMs }) => endedAtMs === null)
    if (open)
      return fail(
        new AppError(
          'CONFLICT',
          `${service} has a deployment in progress (${open.id}, ${shownPhaseName(open)}): abort it, or wait until it ends`,
          { details: { deploymentId: open.id } },
        ),
      )
    if (!before?.isLeaving) {
      const atMs = clock.nowMs()
      const written = before?.written ?? {}
      const leaving = { service, written, by, atMs, revision: (before?.revision ?? 0) + 1, isLeaving: true }
      const audit = [{ atMs, actor: by, action: 'services.remove', target: service, why, details: {} }]
      const stored = await stores.work.commit([
        { kind: 'putDeclaration', declaration: leaving },
        ...audited(audit),
      ])
      if (!stored.ok) return stored
      this.#all.set(service, leaving)
    }
    await registry.declare(declaredConfigs([...this.#all.values()], this.#parts.warn))
    return this.#leave(service)
  }

  /** Ends a service that is on its way out; what does not answer is asked again later. */
  async #leave(service: string): Promise<Result<void>> {
    const left = await this.#end(service)
    this.#retries.get(service)?.[Symbol.dispose]()
    this.#retries.delete(service)
    if (left.ok) return left
    const again = () => void this.#queue.run(() => this.#leave(service))
    this.#retries.set(service, this.#parts.clock.after(leaveAgainMs, again))
    return fail(
      new AppError(
        left.error.code,
        `${service} is still being removed: ${left.error.message}. This is retried.`,
      ),
    )
  }

  /** What runs of it, then what is known of it. */
  async #end(service: string): Promise<Result<void>> {
    if (!this.#all.has(service)) return ok(undefined)
    const { stores } = this.#parts
    const withdrawn = await this.#withdraw(service)
    if (!withdrawn.ok) return withdrawn
    const record = await stores.services.find(service)
    if (!record.ok) return record
    const emptied = record.value && {
      ...newServiceRecord(service),
      revision: record.value.revision + 1,
    }
    const stored = await stores.work.commit([
      ...(emptied ? [{ kind: 'putService' as const, service: emptied }] : []),
      { kind: 'dropDeclaration', service },
    ])
    if (stored.ok) this.#all.delete(service)
    return stored
  }

  /** Requests first: no instance is stopped that still gets some. */
  async #withdraw(service: string): Promise<Result<void>> {
    const { clock, equip } = this.#parts
    const read = readService(service, this.#all.get(service)?.written ?? {})
    const config = read.ok ? read : readService(service, {})
    if (!config.ok) return config
    const { router, target } = equip(config.value.definition)
    const unrouted = await within(clock, answerWithinMs, `the router of ${service}`, () =>
      router.withdraw(service),
    )
    return unrouted.ok
      ? within(clock, answerWithinMs, `the target of ${service}`, () => target.withdraw(service))
      : unrouted
  }
}

/** Those that can be read: an older version may have allowed what this one does not. */
export function declaredConfigs(
  declared: readonly Declaration[],
  warn: (text: string) => void,
): ServiceConfig[] {
  return declared.flatMap(({ service, written, isLeaving }) => {
    if (isLeaving) return []
    const read = readService(service, written)
    if (!read.ok)
      warn(`${service} has a stored declaration that this version cannot read: ${read.error.message}`)
    return read.ok ? [read.value] : []
  })
}
