/**
 * Chromium by itself knows no scheme of ours, so a page of `scheme://host/path` is shown at
 * `https://host.scheme.invalid/path`: a secure origin of its own, which no network has. What the double therefore
 * cannot show is how Chromium treats the real scheme: its name in `location`, its privileges, its storage.
 */
const suffix = '.invalid'

export function toShown(url: string): string {
  const { protocol, host, pathname, search, hash } = new URL(url)
  if (['https:', 'http:', 'about:', 'data:', 'file:'].includes(protocol)) return url
  return `https://${host}.${protocol.slice(0, -1)}${suffix}${pathname}${search}${hash}`
}

export function fromShown(url: string): string {
  const match = /^https:\/\/([^./]+)\.([^./]+)\.invalid(\/.*)?$/.exec(url)
  return match ? `${match[2]}://${match[1]}${match[3] ?? '/'}` : url
}

/** A scheme that neither we nor any network has: nothing to ask the app for. */
export const isOurs = (shownUrl: string): boolean => fromShown(shownUrl) !== shownUrl
