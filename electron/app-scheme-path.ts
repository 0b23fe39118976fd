import { isViewPath } from '../src/contract/index.ts'

export const appScheme = 'pilothouse-app'
const appHost = 'app'

/** The page's origin; nothing else may speak to the shell. */
export const isAppUrl = (url: string): boolean => {
  const parsed = URL.parse(url)
  return parsed?.protocol === `${appScheme}:` && parsed.host === appHost
}

/** The full address of a screen. */
export const appUrl = (path: string): string => `${appScheme}://${appHost}${path}`

export type SchemeAnswer =
  /** One of the bundle's files, by its path inside the bundle. */
  { kind: 'file'; path: string; status: 200 | 404 } | { kind: 'refused'; status: 400 | 404 | 405 }

/**
 * What to answer to a request on the app's scheme. Only files that the bundle has are ever named, so no spelling of
 * a path can leave it. The address of a screen gives the page itself, and so does any other address that names no
 * file, with 404: the page has a screen for that, which leads back.
 */
export function answerFor(method: string, url: string, files: ReadonlySet<string>): SchemeAnswer {
  if (method !== 'GET') return { kind: 'refused', status: 405 }
  if (!isAppUrl(url)) return { kind: 'refused', status: 400 }
  const { pathname } = new URL(url)
  const path = decoded(pathname)
  if (path === undefined) return { kind: 'refused', status: 400 }
  const file = path.slice(1)
  if (files.has(file)) return { kind: 'file', path: file, status: 200 }
  if (isViewPath(pathname)) return { kind: 'file', path: 'index.html', status: 200 }
  const namesFile = path.split('/').at(-1)?.includes('.') ?? false
  return namesFile ? { kind: 'refused', status: 404 } : { kind: 'file', path: 'index.html', status: 404 }
}

/** Undefined for what no honest page asks for: broken escapes, control characters, backslashes, dot segments. */
function decoded(pathname: string): string | undefined {
  let path: string
  try {
    path = decodeURIComponent(pathname)
  } catch {
    return undefined
  }
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  const isOdd = /[\u0000-\u001f\u007f\\]/.test(path) || path.split('/').some((part) => part === '..')
  return isOdd ? undefined : path
}
