import type { Result } from '../../base/index.ts'
import type { Release } from '../../contract/index.ts'

/** The same release twice is no conflict; another one under its name is: releases never change. */
export interface ReleaseChange {
  kind: 'addRelease'
  release: Release
}

/** Port: releases at rest. Fails as `UnitOfWork` does, and with NOT_FOUND. */
export interface ReleaseStore {
  find(service: string, id: string): Promise<Result<Release>>
  /** Newest first. */
  newest(service: string, limit: number): Promise<Result<Release[]>>
}
