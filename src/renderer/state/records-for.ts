import type { LivePattern } from '../../contract/index.ts'
import type { View } from '../routing/index.ts'
import { hostIdOf } from './host-id.ts'
import type { HostView } from './standing.svelte.ts'

/** What the frame around every screen shows, and what most screens do. */
const always: readonly LivePattern[] = [
  'engine',
  'config',
  'health',
  'notices',
  'host:*',
  'service:*',
  'deployment:*',
]

/** The records that a view needs: figures of hosts change each second, and of a thousand only a few are looked at. */
export function recordsFor(view: View, hosts: readonly HostView[]): LivePattern[] {
  switch (view.screen) {
    case 'overview':
      return [...always, 'hostState:*']
    case 'host':
      return [...always, `hostState:${hostIdOf(hosts, view.hostId)}`]
    default:
      return [...always]
  }
}
