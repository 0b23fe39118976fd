import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ShellOptions } from './shell.ts'

/** The built program's own folder. */
export const dist = (path: string): string => fileURLToPath(new URL(`../../../dist/${path}`, import.meta.url))

export interface Surroundings {
  env: NodeJS.ProcessEnv
  configFile: string
}

/**
 * An environment in which the app finds only this test's files: no settings of whoever runs the tests, whose
 * variables would also be taken for the app's configuration, and no color, since what it prints is read.
 */
export function surroundingsIn({ directory, config }: ShellOptions): Surroundings {
  const own = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('PILOTHOUSE_') && name !== 'FORCE_COLOR',
  )
  const configHome = join(directory, 'config')
  const configFile = configFileIn(configHome)
  mkdirSync(dirname(configFile), { recursive: true })
  if (config !== undefined) writeFileSync(configFile, config)
  const env = {
    ...Object.fromEntries(own),
    XDG_CONFIG_HOME: configHome,
    XDG_DATA_HOME: join(directory, 'data'),
    APPDATA: configHome,
    LOCALAPPDATA: join(directory, 'data'),
    HOME: directory,
    USERPROFILE: directory,
  }
  return { env, configFile }
}

function configFileIn(configHome: string): string {
  if (process.platform === 'win32') return join(configHome, 'Pilothouse', 'pilothouse.yaml')
  if (process.platform === 'darwin') {
    return join(dirname(configHome), 'Library', 'Application Support', 'Pilothouse', 'pilothouse.yaml')
  }
  return join(configHome, 'pilothouse', 'pilothouse.yaml')
}
