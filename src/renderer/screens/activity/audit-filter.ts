/** What the address says of the audit log's filters. */
export function auditFilter(query: URLSearchParams): { actor?: string; target?: string } {
  const actor = (query.get('actor') ?? '').trim().slice(0, 200)
  const target = (query.get('target') ?? '').trim().slice(0, 200)
  return { ...(actor ? { actor } : {}), ...(target ? { target } : {}) }
}
