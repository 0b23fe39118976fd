import { homedir } from 'node:os'
import { posix, win32 } from 'node:path'

/** Where a person's files are on this system. */
export interface Places {
  workingDirectory: string
  home: string
  /** Searched for a config after the working directory. */
  configDirectory: string
  /** Databases and logs when nothing else is named. */
  dataDirectory: string
  /** Those of the desktop app's engine. */
  desktopDataDirectory: string
}

export interface System {
  platform: NodeJS.Platform
  variables: Readonly<Record<string, string | undefined>>
  home: string
  workingDirectory: string
}

/** This process's own surroundings, as it was started in `workingDirectory`. */
export const thisSystem = (workingDirectory: string): System => ({
  platform: process.platform,
  variables: process.env,
  home: homedir(),
  workingDirectory,
})

/** The customs of each system: XDG on Linux and the like, Library on macOS, AppData on Windows. */
export function placesOf({ platform, variables, home, workingDirectory }: System): Places {
  const path = platform === 'win32' ? win32 : posix
  const join = (...parts: string[]) => path.join(...parts)
  const base = (name: string, ...fallback: string[]) => {
    const written = variables[name]
    // The XDG specification: a relative path in these variables is to be ignored.
    return written && path.isAbsolute(written) ? written : join(home, ...fallback)
  }
  if (platform === 'win32') {
    const roaming = base('APPDATA', 'AppData', 'Roaming')
    const local = base('LOCALAPPDATA', 'AppData', 'Local')
    return {
      workingDirectory,
      home,
      configDirectory: join(roaming, 'Pilothouse'),
      dataDirectory: join(local, 'Pilothouse'),
      desktopDataDirectory: join(roaming, 'Pilothouse', 'engine'),
    }
  }
  if (platform === 'darwin') {
    const directory = join(home, 'Library', 'Application Support', 'Pilothouse')
    return {
      workingDirectory,
      home,
      configDirectory: directory,
      dataDirectory: directory,
      desktopDataDirectory: join(directory, 'engine'),
    }
  }
  return {
    workingDirectory,
    home,
    configDirectory: join(base('XDG_CONFIG_HOME', '.config'), 'pilothouse'),
    dataDirectory: join(base('XDG_DATA_HOME', '.local', 'share'), 'pilothouse'),
    desktopDataDirectory: join(base('XDG_CONFIG_HOME', '.config'), 'Pilothouse', 'engine'),
  }
}
