import { AppError, fail, ok, type Clock, type Result } from '../../base/index.ts'
import {
  configurationActor,
  type Actor,
  directoryNamedBy,
  withoutDirectory,
  type Release,
} from '../../contract/index.ts'
import { audited, canonicalJson, type AuditChange, type AuditDraft } from '../audit/index.ts'
import type { ConfiguredRelease, ServiceConfig } from '../config/index.ts'
import type { UnitOfWork } from '../core/index.ts'
import type { ReleaseChange, ReleaseStore } from '../releases/index.ts'

/** Who adds what stands in a config. */

/** A release that the store has with other content. */
export interface ChangedRelease {
  service: string
  releaseId: string
}

export interface NewReleases {
  releases: readonly Release[]
  audit: readonly AuditDraft[]
  changed: readonly ChangedRelease[]
}

/** Releases of these services that the store does not have yet, as `by` adds them now. Fails as the store does. */
export async function newReleases(
  services: readonly Pick<ServiceConfig, 'definition' | 'releases'>[],
  { stores, atMs, by }: { stores: { releases: ReleaseStore }; atMs: number; by: Actor },
): Promise<Result<NewReleases>> {
  const releases: Release[] = []
  const changed: ChangedRelease[] = []
  for (const { definition, releases: wanted } of services) {
    const service = definition.name
    for (const release of wanted) {
      const there = await stores.releases.find(service, release.id)
      if (there.ok && !isSame(there.value, release)) changed.push({ service, releaseId: release.id })
      else if (!there.ok && there.error.code !== 'NOT_FOUND') return there
      else if (!there.ok) {
        const { id, artifact, parameters, note } = release
        releases.push({ id, artifact, parameters, note, service, createdAtMs: atMs, createdBy: by })
      }
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

export const namesOf = (releases: readonly ChangedRelease[]): string =>
  releases.map(({ service, releaseId }) => `${service} ${releaseId}`).join(', ')

/** CONFLICT for releases that are on record with other content. */
export const changedReleases = (changed: readonly ChangedRelease[]): Result<never> =>
  fail(
    new AppError('CONFLICT', `${namesOf(changed)} would change: releases are immutable, so use a new name.`),
  )

export interface ConfiguredReleaseStores {
  work: UnitOfWork<ReleaseChange | AuditChange>
  releases: ReleaseStore
}

/**
 * Stores the releases that a config names and the store does not have, and answers with those that it has with other
 * content: these stay as they are.
 */
export async function storeReleases(
  services: readonly Pick<ServiceConfig, 'definition' | 'releases'>[],
  { stores, clock }: { stores: ConfiguredReleaseStores; clock: Clock },
): Promise<Result<readonly ChangedRelease[]>> {
  const found = await newReleases(services, { stores, atMs: clock.nowMs(), by: configurationActor })
  if (!found.ok) return found
  const { releases, audit, changed } = found.value
  if (releases.length > 0) {
    const stored = await stores.work.commit([
      ...releases.map((release) => ({ kind: 'addRelease' as const, release })),
      ...audited(audit),
    ])
    if (!stored.ok) return stored
  }
  return ok(changed)
}

const contentOf = ({ artifact, parameters }: Pick<Release, 'artifact' | 'parameters'>): string =>
  canonicalJson({ artifact, parameters })

/** A directory that nobody wrote down is no difference: the release keeps the one it was added with. */
function isSame(stored: Release, { artifact, parameters, hasDefaultCwd }: ConfiguredRelease): boolean {
  const isWritten = !hasDefaultCwd && directoryNamedBy(artifact) !== undefined
  if (isWritten) return contentOf(stored) === contentOf({ artifact, parameters })
  return (
    contentOf({ artifact: withoutDirectory(stored.artifact), parameters: stored.parameters }) ===
    contentOf({ artifact: withoutDirectory(artifact), parameters })
  )
}
