export { releaseHandlers, type ReleaseParts } from './handlers.ts'
export { changedReleases, namesOf, newReleases, storeReleases, type ChangedRelease } from './releases.ts'
