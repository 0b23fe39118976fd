import type { Release } from '../../contract/index.ts'
import { canonicalJson, type AuditDraft } from '../audit/index.ts'
import type { ConfiguredRelease, ServiceConfig } from '../config/index.ts'
import { AppError, fail, ok, type Clock, type Result } from '../core/index.ts'
import type { DeploymentStore } from '../deployments/index.ts'

/** Who adds what stands in a config. */
const configuration = 'configuration'

export interface NewReleases {
  releases: readonly Release[]
  audit: readonly AuditDraft[]
  /** Those that the store has with other content, `service release`. */
  changed: readonly string[]
}

/** Releases of these services that the store does not have yet, as `by` adds them now. Fails as the store does. */
export async function newReleases(
  services: readonly Pick<ServiceConfig, 'definition' | 'releases'>[],
  { store, atMs, by }: { store: DeploymentStore; atMs: number; by: string },
): Promise<Result<NewReleases>> {
  const releases: Release[] = []
  const changed: string[] = []
  for (const { definition, releases: wanted } of services) {
    const service = definition.name
    for (const release of wanted) {
      const there = await store.release(service, release.id)
      if (there.ok && !isSame(there.value, release)) changed.push(`${service} ${release.id}`)
      else if (!there.ok && there.error.code !== 'NOT_FOUND') return there
      else if (!there.ok) releases.push({ ...release, service, createdAtMs: atMs, createdBy: by })
    }
  }
  const audit = releases.map(({ service, id, note }) => ({
    atMs,
    actor: by,
    action: 'releases.add',
    target: service,
    why: note,
    details: { releaseId: id },
  }))
  return ok({ releases, audit, changed })
}

/** CONFLICT for releases that are on record with other content. */
export const changedReleases = (changed: readonly string[]): Result<never> =>
  fail(
    new AppError(
      'CONFLICT',
      `${changed.join(', ')} would change: a release never changes, so give it another name.`,
    ),
  )

/**
 * Stores the releases that a config names and the store does not have. CONFLICT, with all of them, for those that
 * it has with other content; the others are stored all the same.
 */
export async function storeReleases(
  services: readonly Pick<ServiceConfig, 'definition' | 'releases'>[],
  { store, clock }: { store: DeploymentStore; clock: Clock },
): Promise<Result<void>> {
  const found = await newReleases(services, { store, atMs: clock.nowMs(), by: configuration })
  if (!found.ok) return found
  const { releases, audit, changed } = found.value
  if (releases.length > 0) {
    const nothing = { events: [], deployments: [], services: [], evidence: [] }
    const stored = await store.commit({ ...nothing, releases, audit })
    if (!stored.ok) return stored
  }
  return changed.length === 0 ? ok(undefined) : changedReleases(changed)
}

const contentOf = ({ artifact, parameters }: ConfiguredRelease): string =>
  canonicalJson({ artifact, parameters })

const isSame = (stored: Release, wanted: ConfiguredRelease): boolean =>
  contentOf(stored) === contentOf(wanted)
