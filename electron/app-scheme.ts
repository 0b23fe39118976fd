import { protocol } from 'electron'
import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { contentSecurityPolicyHeader } from '../src/contract/index.ts'
import { answerFor, appScheme } from './app-scheme-path.ts'

const contentTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
}

/** Makes the scheme a real origin. Must run before the app is ready. */
export function registerAppScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: appScheme, privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ])
}

/** Serves the bundle in `folder` on the app's scheme, to GET only, under the page's policy. */
export function serveAppScheme(folder: string): void {
  const files = new Set(filesIn(folder))
  protocol.handle(appScheme, async ({ method, url }) => {
    const answer = answerFor(method, url, files)
    if (answer.kind === 'refused') return new Response(null, { status: answer.status, headers: headers() })
    const body = await readFile(join(folder, answer.path))
    return new Response(body, { status: answer.status, headers: headers(answer.path) })
  })
}

function headers(path?: string): Record<string, string> {
  return {
    'content-security-policy': contentSecurityPolicyHeader(),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-cache',
    ...(path ? { 'content-type': contentTypes[extname(path)] ?? 'application/octet-stream' } : {}),
  }
}

/** Paths of all files below `folder`, with forward slashes. Step by step: archives do not list recursively. */
function filesIn(folder: string, prefix = ''): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? filesIn(join(folder, entry.name), `${prefix}${entry.name}/`)
      : [`${prefix}${entry.name}`],
  )
}
