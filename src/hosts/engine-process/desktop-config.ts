import { readConfig, thisSystem, type ConfigRead, type ConfigRequest } from '../../adapters/config/index.ts'
import { standSomewhere } from '../working-directory.ts'

export interface DesktopConfig {
  request: ConfigRequest
  read: ConfigRead
}

/**
 * The configuration of the desktop's engine: the same files and variables as the headless host's. Its data are in
 * `dataDirectory`, the app's own, unless the configuration names another place.
 */
export async function readDesktopConfig(dataDirectory: string): Promise<DesktopConfig> {
  const bare: ConfigRequest = { system: thisSystem(standSomewhere()) }
  const found = await readConfig(bare)
  if (!found.result.ok || found.result.value.origins.has('dataDirectory'))
    return { request: bare, read: found }
  const flag = { name: '--data-dir', path: 'dataDirectory', text: dataDirectory }
  const request: ConfigRequest = { ...bare, flags: [flag] }
  return { request, read: await readConfig(request) }
}
