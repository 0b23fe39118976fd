import { moveRow, type PaletteCommand } from '../commands/index.ts'
import { addServicePath, deploymentPath, hostPath, newDeploymentPath, servicePath } from '../routing/index.ts'
import type { App } from '../state/app-context.ts'
import { themeChoices } from '../state/theme.svelte.ts'

/** Commands of the frame, there on every screen. */
export function frameCommands(
  app: App,
  open: { palette: () => void; keySheet: () => void },
  hosts: { id: string; name: string }[],
  services: readonly string[],
): PaletteCommand[] {
  const { router, theme, timeZone, link } = app
  const first = hosts[0]
  return [
    {
      id: 'go-overview',
      title: 'Overview',
      group: 'Go to',
      keys: 'g o',
      keywords: ['home', 'health'],
      run: () => router.go('/overview'),
    },
    ...hosts.map((host): PaletteCommand => ({
      id: `go-host-${host.id}`,
      title: `Host ${host.name}`,
      group: 'Go to',
      ...(host === first ? { keys: 'g h' } : {}),
      keywords: ['cpu', 'memory', 'disk', 'network', 'processes'],
      run: () => router.go(hostPath(host.id)),
    })),
    ...serviceCommands(app, services),
    {
      id: 'go-config',
      title: 'Settings: configuration',
      group: 'Go to',
      keys: 'g s',
      keywords: ['config', 'options', 'yaml'],
      run: () => router.go('/settings/config'),
    },
    {
      id: 'go-display',
      title: 'Settings: display',
      group: 'Go to',
      keywords: ['theme', 'time', 'zone', 'utc'],
      run: () => router.go('/settings/display'),
    },
    {
      id: 'go-about',
      title: 'Settings: about',
      group: 'Go to',
      keys: 'g a',
      keywords: ['version', 'licence', 'readiness', 'api'],
      run: () => router.go('/settings/about'),
    },
    { id: 'row-next', title: 'Next row (Enter opens it)', group: 'View', keys: 'j', run: () => moveRow(1) },
    { id: 'row-previous', title: 'Previous row', group: 'View', keys: 'k', run: () => moveRow(-1) },
    {
      id: 'filter',
      title: 'Filter this view',
      group: 'View',
      keys: '/',
      run: () => {
        const fields = ['section:focus-within [data-filter]', '[data-filter]'].map((part) =>
          document.querySelector<HTMLInputElement>(`main ${part}`),
        )
        const field = fields.find((found) => found !== null)
        if (field) field.select()
        else open.palette()
      },
    },
    { id: 'theme', title: 'Change theme', group: 'View', keys: 't', run: () => theme.turn() },
    ...themeChoices.map((choice): PaletteCommand => ({
      id: `theme-${choice}`,
      title: `Theme: ${choice === 'system' ? 'system' : choice}`,
      group: 'View',
      keywords: ['colour', 'night', 'day'],
      run: () => theme.choose(choice),
    })),
    {
      id: 'zone',
      title: 'Switch between local time and UTC',
      group: 'View',
      keys: 'u',
      run: () => timeZone.turn(),
    },
    {
      id: 'zone-utc',
      title: 'Times: UTC',
      group: 'View',
      keywords: ['zone', 'clock'],
      run: () => timeZone.choose('utc'),
    },
    {
      id: 'zone-configured',
      title: 'Times: as configured',
      group: 'View',
      keywords: ['zone', 'clock'],
      run: () => timeZone.choose('configured'),
    },
    {
      id: 'zone-local',
      title: 'Times: local',
      group: 'View',
      keywords: ['zone', 'clock'],
      run: () => timeZone.choose('local'),
    },
    {
      id: 'retry',
      title: 'Connect to the engine now',
      group: 'View',
      keywords: ['reconnect', 'retry', 'offline'],
      run: () => link.retryNow(),
    },
    {
      id: 'palette',
      title: 'Find a page or an action',
      group: 'Help',
      keys: 'mod+k',
      isEverywhere: true,
      run: open.palette,
    },
    { id: 'keys', title: 'Show keyboard shortcuts', group: 'Help', keys: '?', run: open.keySheet },
  ]
}

/** Offered once the engine deals with services. */
function serviceCommands({ router, liveServices }: App, services: readonly string[]): PaletteCommand[] {
  return [
    { id: 'go-services', title: 'Services', group: 'Go to', keys: 'g v', run: () => router.go('/services') },
    {
      id: 'go-deployments',
      title: 'Deployments',
      group: 'Go to',
      keys: 'g d',
      keywords: ['deploys', 'releases', 'canary', 'history'],
      run: () => router.go('/deployments'),
    },
    {
      id: 'go-activity',
      title: 'Activity',
      group: 'Go to',
      keys: 'g l',
      keywords: ['audit', 'log', 'who', 'export'],
      run: () => router.go('/activity'),
    },
    ...services.map((name): PaletteCommand => ({
      id: `go-service-${name}`,
      title: `Service ${name}`,
      group: 'Go to',
      run: () => router.go(servicePath(name)),
    })),
    ...liveServices.running.map(({ id, service, candidateReleaseId }): PaletteCommand => ({
      id: `go-deployment-${id}`,
      title: `Deployment of ${service} ${candidateReleaseId}`,
      group: 'Go to',
      keywords: ['canary'],
      run: () => router.go(deploymentPath(id)),
    })),
    {
      id: 'deploy',
      title: 'Deploy a release',
      group: 'Actions',
      keys: 'd',
      keywords: ['new', 'ship', 'release', 'canary'],
      run: () => router.go(newDeploymentPath()),
    },
    {
      id: 'add-service',
      title: 'Add a service',
      group: 'Actions',
      keywords: ['new', 'declare', 'first'],
      run: () => router.go(addServicePath),
    },
    ...services.map((name): PaletteCommand => ({
      id: `deploy-${name}`,
      title: `Deploy ${name}`,
      group: 'Actions',
      keywords: ['new', 'ship', 'release', 'canary'],
      run: () => router.go(newDeploymentPath(name)),
    })),
  ]
}
