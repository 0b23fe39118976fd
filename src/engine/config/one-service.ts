import { isAbsolute } from 'node:path'
import { AppError, fail, ok, type Result } from '../core/index.ts'
import { loadConfig } from './load.ts'
import { parseConfigText } from './parse.ts'
import type { ServiceConfig } from './services.ts'
import { mapPaths } from './settings.ts'

/** A name for text that stands in no file; `.json` is read strictly. */
const nowhere = '/service.json'

/**
 * A service out of what would stand under its name in the `services` section of a config. BAD_INPUT with every
 * mistake, each with its path; a relative path is one, as there is no file that it could start from.
 */
export function readService(name: string, written: Readonly<Record<string, unknown>>): Result<ServiceConfig> {
  const text = JSON.stringify({ services: { [name]: written } })
  const relative: string[] = []
  mapPaths(parseConfigText(nowhere, text).root, (path) => {
    if (!isAbsolute(path)) relative.push(path)
    return path
  })
  const loaded = loadConfig({
    file: { path: nowhere, bytes: new TextEncoder().encode(text) },
    variables: {},
    flags: [],
    places: { workingDirectory: '/', home: '/', dataDirectory: '/' },
  })
  const mistakes = [
    ...(loaded.ok ? [] : loaded.error.map(({ path, message, hint }) => told(name, path, message, hint))),
    ...relative.map((path) => `found the path ${path}, expected an absolute one`),
  ]
  const service = loaded.ok ? loaded.value.config.services[0] : undefined
  if (mistakes.length === 0 && service) return ok(service)
  return fail(new AppError('BAD_INPUT', mistakes.join('; '), { details: { mistakes } }))
}

/** Without where it would stand in a file: the caller wrote one service. */
function told(name: string, path: string, message: string, hint: string): string {
  const own = path.startsWith(`services.${name}.`) ? path.slice(`services.${name}.`.length) : ''
  return `${own === '' ? '' : `${own}: `}${message}${hint === '' ? '' : ` (${hint})`}`
}
