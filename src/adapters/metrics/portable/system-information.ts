import type library from 'systeminformation'
import type { Systeminformation } from 'systeminformation'

export type { Systeminformation as SystemInformation } from 'systeminformation'

let loading: Promise<typeof library> | undefined

/** The library, loaded when first asked for: Linux hosts never need it. */
export function loadSystemInformation(): Promise<typeof library> {
  // It is CommonJS: all of it is the default export, only what a scanner could see is named.
  loading ??= import('systeminformation').then((module) => module.default)
  return loading
}

/**
 * Counters that systeminformation leaves null, undefined or negative (it starts at -1) are unknown: NaN.
 */
export const known = (value: number | null | undefined): number =>
  typeof value === 'number' && value >= 0 ? value : NaN

/** systeminformation's TCP state as the contract's: `SYN_RECV`, `SynReceived` and `syn_received` are one. */
export function stateNameOf({ state }: Pick<Systeminformation.NetworkConnectionsData, 'state'>): string {
  const name = state
    .trim()
    .replace(/([a-z])([A-Z0-9])/g, '$1_$2')
    .replace(/[\s-]+/g, '_')
    .toLowerCase()
  return renamed[name] ?? name
}

const renamed: Record<string, string> = {
  syn_recv: 'syn_received',
  syn_rcvd: 'syn_received',
  fin_wait1: 'fin_wait_1',
  fin_wait2: 'fin_wait_2',
  listening: 'listen',
  closed: 'close',
}
