import { isDeepStrictEqual } from 'node:util'
import type { Release } from '../../contract/index.ts'
import type { Config, ConfiguredRelease } from '../../engine/config/index.ts'
import { AppError, fail, ok, type Clock, type Result } from '../../engine/core/index.ts'
import type { DeploymentStore } from '../../engine/deployments/index.ts'

const createdBy = 'configuration'

/**
 * Stores the releases that the config names and the store does not have. CONFLICT, with all of them, for those that
 * it has with other content, as a release never changes; the others are stored all the same.
 */
export async function storeReleases(
  config: Pick<Config, 'services'>,
  { store, clock }: { store: DeploymentStore; clock: Clock },
): Promise<Result<void>> {
  const wanted = config.services.flatMap(({ definition, releases }) =>
    releases.map((release) => ({ service: definition.name, release })),
  )
  const added: Release[] = []
  const changed: string[] = []
  for (const { service, release } of wanted) {
    const there = await store.release(service, release.id)
    if (there.ok && !isSame(there.value, release)) changed.push(`${service} ${release.id}`)
    else if (!there.ok && there.error.code !== 'NOT_FOUND') return there
    else if (!there.ok) added.push({ ...release, service, createdAtMs: clock.nowMs(), createdBy })
  }
  if (added.length > 0) {
    const audit = added.map(({ service, id, note }) => ({
      atMs: clock.nowMs(),
      actor: createdBy,
      action: 'releases.add',
      target: service,
      why: note,
      details: { releaseId: id },
    }))
    const nothing = { events: [], deployments: [], services: [], evidence: [] }
    const stored = await store.commit({ ...nothing, releases: added, audit })
    if (!stored.ok) return stored
  }
  if (changed.length === 0) return ok(undefined)
  const text = `The configuration changes ${changed.join(', ')}: a release never changes, so give it another name.`
  return fail(new AppError('CONFLICT', text))
}

function isSame(stored: Release, { artifact, parameters }: ConfiguredRelease): boolean {
  return isDeepStrictEqual(stored.artifact, artifact) && isDeepStrictEqual(stored.parameters, parameters)
}
