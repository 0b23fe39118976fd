import { shell } from 'electron'

/** Sites the screens link to. */
const allowedHosts = new Set(['github.com', 'www.apache.org'])

/** Whether the system's browser may be sent to `url`: https, a site of the list, nothing smuggled before the host. */
function isAllowedOutside(url: string): boolean {
  const parsed = URL.parse(url)
  return (
    parsed?.protocol === 'https:' &&
    allowedHosts.has(parsed.host) &&
    parsed.username === '' &&
    parsed.password === ''
  )
}

/** Opens an allowed address in the system's browser; ignores any other. */
export function openOutside(url: string): void {
  // Without a browser nothing opens; there is nobody to tell.
  if (isAllowedOutside(url)) void shell.openExternal(url).catch(() => undefined)
}
