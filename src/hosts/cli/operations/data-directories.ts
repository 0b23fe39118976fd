import { ok, type Result } from '../../../base/index.ts'
import {
  flaggedDataDirectory,
  likelyDataDirectory,
  placesOf,
  readConfig,
  type ConfigRequest,
} from '../../../adapters/config/index.ts'
import type { ConfigProblem } from '../../../contract/index.ts'

/**
 * Where an engine of this user may have its data, the likelier place first: the one that `--data-dir` names, for which
 * no config is read; else that of the config, and where nobody chose one, that of the desktop app.
 */
export async function dataDirectories(request: ConfigRequest): Promise<Result<string[], ConfigProblem[]>> {
  const flagged = flaggedDataDirectory(request)
  if (flagged !== null) return ok([flagged])
  const { result } = await readConfig(request)
  if (!result.ok) return result
  const { config, origins } = result.value
  const desktop = origins.has('dataDirectory') ? [] : [placesOf(request.system).desktopDataDirectory]
  return ok([config.dataDirectory, ...desktop])
}

/** The same for what must work with a broken config: as much of it as can be read, else the usual places. */
export async function likelyDataDirectories(request: ConfigRequest): Promise<string[]> {
  try {
    const known = await dataDirectories(request)
    if (known.ok) return known.value
    const named = await likelyDataDirectory(request)
    if (named !== null) return [named]
  } catch {
    // A config that makes its reader throw is a defect, and no reason to leave traffic on a bad release.
  }
  const { dataDirectory, desktopDataDirectory } = placesOf(request.system)
  return [dataDirectory, desktopDataDirectory]
}
