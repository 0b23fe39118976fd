import type { Commit } from './ports.ts'

/** To be filled with what there is. */
export const nothingToCommit: Commit = {
  events: [],
  deployments: [],
  services: [],
  releases: [],
  evidence: [],
  audit: [],
}
