import type { Clock } from '../../base/index.ts'
import type { InspectableSource } from '../../engine/telemetry/index.ts'
import { LinuxProcSource } from './linux/index.ts'
import { PortableSource } from './portable/index.ts'

export { LinuxProcSource } from './linux/index.ts'
export { PortableSource } from './portable/index.ts'

/** The metrics of the machine this runs on, by the cheapest way its system (`process.platform`) has. */
export function createLocalMetricSource(options: {
  clock: Clock
  platform: NodeJS.Platform
  hostId?: string
}): InspectableSource {
  const { clock, platform, hostId = 'local' } = options
  return platform === 'linux'
    ? new LinuxProcSource({ clock, hostId })
    : new PortableSource({ clock, hostId, platform })
}
