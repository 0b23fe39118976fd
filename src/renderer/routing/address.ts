/** An address of this page, taken apart. */
export interface Address {
  path: string
  query: URLSearchParams
  /** Without its sign. */
  fragment: string
}

export function addressOf(href: string): Address {
  const { pathname, searchParams, hash } = new URL(href)
  return { path: pathname, query: searchParams, fragment: hash.slice(1) }
}

/** `address`, which may be relative to `href`, in full. */
export function resolved(address: string, href: string): string {
  return new URL(address, href).href
}

/** The address with entries of its query changed; null or an empty text removes one. */
export function withQuery(href: string, changes: Record<string, string | null>): string {
  const url = new URL(href)
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') url.searchParams.delete(name)
    else url.searchParams.set(name, value)
  }
  return url.href
}

/** Whether an address is a view of the page at `href`, and not another site or the engine's API. */
export function isInside(address: string, href: string): boolean {
  const target = new URL(address, href)
  // The scheme of the desktop has the origin "null"; its host tells.
  const { protocol, host } = new URL(href)
  return (
    target.protocol === protocol &&
    target.host === host &&
    !/^\/(api|health|metrics)(\/|$)/.test(target.pathname)
  )
}
