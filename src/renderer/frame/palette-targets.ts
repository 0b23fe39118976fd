import { shownPhaseName, type ConfigEntries, type Deployment } from '../../contract/index.ts'
import type { PaletteCommand } from '../commands/index.ts'
import { deploymentPath, servicePath } from '../routing/index.ts'

/** What can be gone to by name beside what every screen offers. */
export interface PaletteKnowledge {
  services: readonly { name: string; stableReleaseId: string | null; candidateReleaseId: string | null }[]
  /** Running and ended ones. */
  deployments: readonly Pick<
    Deployment,
    'id' | 'service' | 'candidateReleaseId' | 'phase' | 'isHandedOver' | 'plan'
  >[]
  settings: readonly Pick<ConfigEntries['entries'][number], 'path'>[]
}

/** Deployments, releases and settings as commands that go there, each once. */
export function paletteTargets(known: PaletteKnowledge, go: (path: string) => void): PaletteCommand[] {
  const { services, deployments, settings } = known
  const releases = new Map<string, { service: string; id: string }>()
  const add = (service: string, id: string | null) => {
    if (id !== null) releases.set(`${service} ${id}`, { service, id })
  }
  for (const { name, stableReleaseId, candidateReleaseId } of services) {
    add(name, stableReleaseId)
    add(name, candidateReleaseId)
  }
  for (const { service, candidateReleaseId } of deployments) add(service, candidateReleaseId)
  const byId = new Map(deployments.map((deployment) => [deployment.id, deployment]))
  const target = (id: string, title: string, keywords: string[], path: string): PaletteCommand => ({
    id: `target-${id}`,
    title,
    group: 'Go to',
    keywords,
    run: () => go(path),
  })
  return [
    ...[...releases.values()].map(({ service, id }) =>
      target(
        `release-${service}-${id}`,
        `Release ${id} of ${service}`,
        [],
        `${servicePath(service)}#releases`,
      ),
    ),
    ...[...byId.values()].map((deployment) => {
      const { id, service, candidateReleaseId } = deployment
      const title = `Deployment ${service} ${candidateReleaseId} (${shownPhaseName(deployment)})`
      return target(`deployment-${id}`, title, [id.toLowerCase()], deploymentPath(id))
    }),
    ...settings.map(({ path }) =>
      target(`setting-${path}`, `Setting ${path}`, [], `/settings/config?q=${encodeURIComponent(path)}`),
    ),
  ]
}
