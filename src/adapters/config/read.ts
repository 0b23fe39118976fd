import type { Result } from '../../base/index.ts'
import type { ConfigProblem } from '../../contract/index.ts'
import { loadConfig, namedDataDirectory, type Flag, type LoadedConfig } from '../../engine/config/index.ts'
import { findConfigFile, type NamedFile } from './file.ts'
import { accountProblem } from '../system/index.ts'
import { placesOf, type System } from './places.ts'

export interface ConfigRequest {
  system: System
  /** The file named by a flag; else PILOTHOUSE_CONFIG, else the usual places. */
  file?: string | undefined
  flags?: readonly Flag[]
}

/** Who names the file, if anyone does. */
export function namedFile({ system, file }: ConfigRequest): NamedFile | undefined {
  if (file) return { path: file, by: '--config' }
  const variable = system.variables['PILOTHOUSE_CONFIG']
  return variable ? { path: variable, by: 'PILOTHOUSE_CONFIG' } : undefined
}

export interface ConfigRead {
  /** The bytes it was read from; null without a file. */
  bytes: Uint8Array | null
  /** Where they stand; null without a file. */
  path: string | null
  result: Result<LoadedConfig, ConfigProblem[]>
}

/** One look at the file and everything else a config is made from. */
export async function readConfig(request: ConfigRequest): Promise<ConfigRead> {
  const { system, flags = [] } = request
  const places = placesOf(system)
  const found = await findConfigFile(places, namedFile(request))
  if (!found.ok) return { bytes: null, path: found.error[0]?.file ?? null, result: found }
  const file = found.value
  const result = loadConfig({ file, variables: system.variables, flags, places, accountProblem })
  return { bytes: file?.bytes ?? null, path: file?.path ?? null, result }
}

/** The data directory that the flags alone name, absolute; null when none does. No file is read for it. */
export const flaggedDataDirectory = ({ system, flags = [] }: ConfigRequest): string | null =>
  namedDataDirectory({ file: null, variables: {}, flags, places: placesOf(system) })

/**
 * The data directory that flags, variables or the file name, as far as they can be read; null when none does. Mistakes in
 * them do not matter.
 */
export async function likelyDataDirectory(request: ConfigRequest): Promise<string | null> {
  const { system, flags = [] } = request
  const places = placesOf(system)
  const found = await findConfigFile(places, namedFile(request))
  const file = found.ok ? found.value : null
  return namedDataDirectory({ file, variables: system.variables, flags, places })
}
