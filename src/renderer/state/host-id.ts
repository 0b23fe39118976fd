import type { HostView } from './standing.svelte.ts'

/** The id of the host that an address names, by its id or by the name that screens show; the text itself for neither. */
export function hostIdOf(
  hosts: readonly { host: Pick<HostView['host'], 'id' | 'name'> }[],
  named: string,
): string {
  if (hosts.some(({ host }) => host.id === named)) return named
  const [only, ...others] = hosts.filter(({ host }) => host.name.toLowerCase() === named.toLowerCase())
  return only && others.length === 0 ? only.host.id : named
}
