import { noFigure, type Instance } from '../../../contract/index.ts'

/** The states of instances. */
export const worstFirst: readonly Instance['state'][] = [
  'down',
  'unhealthy',
  'starting',
  'draining',
  'healthy',
]

/** How many instances are in each state, worst first; states that none is in are left out. */
export function instanceCounts(
  instances: readonly Instance[],
): { state: Instance['state']; count: number }[] {
  return worstFirst
    .map((state) => ({ state, count: instances.filter((instance) => instance.state === state).length }))
    .filter(({ count }) => count > 0)
}

/** In few words for a row: `3 healthy`, `2 healthy, 1 down`, `–` for none. */
export const instanceSummary = (instances: readonly Instance[]): string =>
  instanceCounts(instances)
    .toReversed()
    .map(({ state, count }) => `${count} ${state}`)
    .join(', ') || noFigure

/** The sign of an instance's state. */
export const instanceMark = {
  starting: 'info',
  healthy: 'ok',
  unhealthy: 'warning',
  draining: 'info',
  down: 'critical',
} as const satisfies Record<Instance['state'], string>
