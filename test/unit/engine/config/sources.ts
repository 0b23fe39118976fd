import { loadConfig, type ConfigSources } from '../../../../src/engine/config/index.ts'

export const file = '/etc/pilothouse/pilothouse.yaml'

const places = {
  workingDirectory: '/work',
  home: '/home/ada',
  dataDirectory: '/home/ada/.local/share/pilothouse',
}

/** Loads a config out of a text as a file and whatever else is given. */
export function load(
  text: string | Uint8Array | null,
  more: Partial<ConfigSources> & { path?: string } = {},
) {
  const { path = file, ...rest } = more
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text
  return loadConfig({ file: bytes && { path, bytes }, variables: {}, flags: [], places, ...rest })
}

/** The config, where a test expects it to be good. */
export function loaded(...parameters: Parameters<typeof load>) {
  const result = load(...parameters)
  if (!result.ok) throw new Error(`unexpected: ${result.error.map(({ message }) => message).join('; ')}`)
  return result.value
}

/** The mistakes as `line:column path: message | hint`. */
export function mistakes(...parameters: Parameters<typeof load>): string[] {
  const result = load(...parameters)
  if (result.ok) return []
  return result.error.map(
    (each) => `${each.line}:${each.column} ${each.path}: ${each.message} | ${each.hint}`,
  )
}
