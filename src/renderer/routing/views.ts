/** What the page can show. Everything a view needs beyond this stands in the query of its address. */
export type View =
  | { screen: 'overview' }
  | { screen: 'host'; hostId: string }
  | { screen: 'services' }
  | { screen: 'service'; name: string }
  | { screen: 'deployments' }
  | { screen: 'deployment'; id: string }
  /** Who did what: the audit log. */
  | { screen: 'activity' }
  | { screen: 'settings'; section: SettingsSection }
  /** An address that means nothing, e.g. from an old bookmark. */
  | { screen: 'missing'; path: string }

export const settingsSections = ['config', 'display', 'about'] as const
export type SettingsSection = (typeof settingsSections)[number]

/** Parts of the Host screen that can be linked to, as the fragment of its address. */
export const hostSections = ['cpu', 'memory', 'disk', 'network', 'processes', 'quality'] as const
export type HostSection = (typeof hostSections)[number]

/** The view at a path; never throws, whatever was typed. */
export function viewOf(path: string): View {
  const parts = path.split('/').filter(Boolean).map(decoded)
  const [screen, argument, ...rest] = parts
  if (rest.length > 0) return { screen: 'missing', path }
  if (screen === undefined || (screen === 'overview' && argument === undefined)) return { screen: 'overview' }
  if (screen === 'host' && argument) return { screen: 'host', hostId: argument }
  if (screen === 'services') return argument ? { screen: 'service', name: argument } : { screen: 'services' }
  if (screen === 'deployments')
    return argument ? { screen: 'deployment', id: argument } : { screen: 'deployments' }
  if (screen === 'activity' && argument === undefined) return { screen: 'activity' }
  if (screen === 'settings') {
    const section = settingsSections.find((name) => name === (argument ?? 'config'))
    if (section) return { screen: 'settings', section }
  }
  return { screen: 'missing', path }
}

/** The address of a view; `viewOf(pathOf(view))` is the view again. */
export function pathOf(view: View): string {
  switch (view.screen) {
    case 'overview':
      return '/overview'
    case 'host':
      return `/host/${encodeURIComponent(view.hostId)}`
    case 'services':
    case 'deployments':
    case 'activity':
      return `/${view.screen}`
    case 'service':
      return `/services/${encodeURIComponent(view.name)}`
    case 'deployment':
      return `/deployments/${encodeURIComponent(view.id)}`
    case 'settings':
      return `/settings/${view.section}`
    case 'missing':
      return view.path
  }
}

/** Where a chart of a host stands. */
export function hostPath(hostId: string, section?: HostSection): string {
  return pathOf({ screen: 'host', hostId }) + (section ? `#${section}` : '')
}

export const servicePath = (name: string): string => pathOf({ screen: 'service', name })
export const deploymentPath = (id: string): string => pathOf({ screen: 'deployment', id })

/** The dialog that adds a service. */
export const addServicePath = '/services?add=1'

/** The dialog that deploys; of a service and a release where they are known. */
export function newDeploymentPath(service?: string, releaseId?: string): string {
  const query = new URLSearchParams({
    new: '1',
    ...(service ? { of: service } : {}),
    ...(releaseId ? { release: releaseId } : {}),
  })
  return `/deployments?${query.toString()}`
}

/** The part of the Host screen that shows a series, e.g. `disk` for `filesystem.used`. */
export function sectionOf(series: string): HostSection | undefined {
  const family = series.split('.')[0] ?? ''
  return familySections[family]
}

const familySections: Record<string, HostSection> = {
  cpu: 'cpu',
  load: 'cpu',
  pressure: 'cpu',
  temperature: 'cpu',
  memory: 'memory',
  swap: 'memory',
  paging: 'memory',
  filesystem: 'disk',
  disk: 'disk',
  network: 'network',
  tcp: 'network',
  udp: 'network',
  sockets: 'network',
  processes: 'processes',
  threads: 'processes',
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
