/** What the address says of the audit log's filters. */
export function auditFilter(query: URLSearchParams): { actor?: string; target?: string; text?: string } {
  const [actor, target, text] = ['actor', 'target', 'q'].map((name) =>
    (query.get(name) ?? '').trim().slice(0, 200),
  )
  return { ...(actor ? { actor } : {}), ...(target ? { target } : {}), ...(text ? { text } : {}) }
}
