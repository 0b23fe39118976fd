import { isViewPath } from '../src/contract/index.ts'

export const linkScheme = 'pilothouse'

const maxLinkLength = 2000

/**
 * The screen a link of the system names: `pilothouse://host/local?range=1h` is `/host/local?range=1h`. Anyone can
 * send such a link, so it can only open a known screen; what is not plainly that is undefined.
 */
export function viewOfLink(link: string): string | undefined {
  if (link.length > maxLinkLength) return undefined
  const url = URL.parse(link)
  if (url?.protocol !== `${linkScheme}:`) return undefined
  if (url.username || url.password || url.port || url.hash) return undefined
  const path = `/${url.host}${url.pathname.replace(/\/$/, '')}`
  const isPlain = /^(\/[A-Za-z0-9._~:-]+)+$/.test(path) && /^(\?[A-Za-z0-9._~%:,=&+-]*)?$/.test(url.search)
  return isPlain && isViewPath(path) ? path + url.search : undefined
}

/** The link among the arguments of a start, e.g. of a second instance. */
export const linkIn = (argv: readonly string[]): string | undefined =>
  argv.find((argument) => argument.startsWith(`${linkScheme}:`))
