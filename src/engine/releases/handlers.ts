import { isAbsolute } from 'node:path'
import { AppError, fail, ok, type Clock, type Result } from '../../base/index.ts'
import {
  actorOf,
  type Actor,
  artifactIn,
  attempts,
  directoryNamedBy,
  type Bin,
  type Comparison,
  type Release,
} from '../../contract/index.ts'
import { api, orThrow } from '../identity/index.ts'
import { compareReleases } from './compare.ts'
import type { ReleaseStore } from './ports.ts'

export interface ReleaseParts {
  clock: Clock
  stores: { releases: ReleaseStore }
  /** Keeps a release together with its audit entry. */
  add: (release: Release) => Promise<Result<void>>
  /** Where programs of this service run; null where it says nothing. */
  workingDirectory: (service: string) => string | null
  /** Counts of the newest deployments in which a release took part, newest first. */
  evidence: (service: string, releaseId: string) => AsyncIterable<Result<Bin[]>>
}

/** Procedures on releases. */
export const releaseHandlers = (parts: ReleaseParts) => ({
  releases: {
    list: api.releases.list.handler(({ input }) =>
      orThrow(parts.stores.releases.newest(input.service, input.limit)),
    ),
    create: api.releases.create.handler(({ input, context }) =>
      orThrow(create(parts, input, actorOf(context.principal))),
    ),
    compare: api.releases.compare.handler(({ input }) =>
      orThrow(compare(parts, input.service, input.from, input.to)),
    ),
  },
})

async function create(
  { clock, stores, add, workingDirectory }: ReleaseParts,
  draft: Omit<Release, 'createdAtMs' | 'createdBy'>,
  by: Actor,
): Promise<Result<Release>> {
  const { artifact } = draft
  const named = directoryNamedBy(artifact)
  if (named !== undefined && !isAbsolute(named))
    return fail(new AppError('BAD_INPUT', `The working directory ${named} must be an absolute path.`))
  const directory = workingDirectory(draft.service)
  const release: Release = {
    ...draft,
    artifact: directory === null ? artifact : artifactIn(directory, artifact),
    createdAtMs: clock.nowMs(),
    createdBy: by,
  }
  const added = await add(release)
  return added.ok ? stores.releases.find(release.service, release.id) : added
}

async function compare(
  parts: ReleaseParts,
  service: string,
  fromId: string,
  toId: string,
): Promise<Result<Comparison>> {
  const from = await parts.stores.releases.find(service, fromId)
  if (!from.ok) return from
  const to = await parts.stores.releases.find(service, toId)
  if (!to.ok) return to
  const fromBins = await binsOf(parts, service, fromId)
  if (!fromBins.ok) return fromBins
  const toBins = await binsOf(parts, service, toId)
  if (!toBins.ok) return toBins
  return ok(compareReleases(from.value, to.value, { from: fromBins.value, to: toBins.value }))
}

/** Counts of the newest deployment in which a release had traffic. */
async function binsOf(
  { evidence }: ReleaseParts,
  service: string,
  releaseId: string,
): Promise<Result<Bin[]>> {
  for await (const bins of evidence(service, releaseId)) {
    if (!bins.ok) return bins
    if (bins.value.some((bin) => bin.releaseId === releaseId && attempts(bin) > 0)) return bins
  }
  return ok([])
}
