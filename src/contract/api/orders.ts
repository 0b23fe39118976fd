import { contract } from './contract.ts'
import type { ProcedureMeta } from './procedure.ts'

interface Order {
  /** As in the table: `deployments.promote`. */
  name: string
  method: string
  path: RegExp
}

interface Described {
  '~orpc': { meta: ProcedureMeta; route: { method?: string | undefined; path?: string | undefined } }
}

/** Every procedure that changes production. */
const orders: readonly Order[] = Object.entries(contract).flatMap(([group, procedures]) =>
  Object.entries(procedures as Record<string, Described>).flatMap(
    ([
      name,
      {
        '~orpc': { meta, route },
      },
    ]) => {
      if (!meta.isOrder || route.path === undefined) return []
      const path = new RegExp(`^${route.path.replace(/\{(service|id)\}/, '(?<target>[^/]+)')}$`)
      return [{ name: `${group}.${name}`, method: route.method ?? 'POST', path }]
    },
  ),
)

/** Whether the audit log keeps who gave it, refused or not. */
export const isOrder = (name: string): boolean => orders.some((order) => order.name === name)

/** The order that a request gives, by its path below the API, with the service or deployment that the path names. */
export function orderAt(method: string, path: string): { name: string; target: string } | null {
  for (const { name, ...order } of orders) {
    const found = order.method === method ? order.path.exec(path) : null
    if (found) return { name, target: decoded(found.groups?.['target'] ?? '') }
  }
  return null
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
