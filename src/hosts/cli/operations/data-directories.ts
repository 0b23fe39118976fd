import { placesOf, readConfig, type ConfigRequest } from '../../../adapters/config/index.ts'
import type { ConfigProblem } from '../../../contract/index.ts'
import { ok, type Result } from '../../../engine/core/index.ts'

/**
 * Where an engine of this user may have its data, the likelier place first: that of the config, and where nobody
 * chose one, that of the desktop app.
 */
export async function dataDirectories(request: ConfigRequest): Promise<Result<string[], ConfigProblem[]>> {
  const { result } = await readConfig(request)
  if (!result.ok) return result
  const { config, origins } = result.value
  const desktop = origins.has('dataDirectory') ? [] : [placesOf(request.system).desktopDataDirectory]
  return ok([config.dataDirectory, ...desktop])
}
