import { describe, expect, it } from 'vitest'
import { placesOf } from '../../../../src/adapters/config/index.ts'

const places = (platform: NodeJS.Platform, variables: Record<string, string> = {}) => {
  const home = platform === 'win32' ? String.raw`C:\Users\ada` : '/home/ada'
  const { configDirectory, dataDirectory, desktopDataDirectory } = placesOf({
    platform,
    variables,
    home,
    workingDirectory: '/work',
  })
  return [configDirectory, dataDirectory, desktopDataDirectory]
}

describe('the places of a person', () => {
  it('follow the customs of the system', () => {
    expect(places('linux')).toEqual([
      '/home/ada/.config/pilothouse',
      '/home/ada/.local/share/pilothouse',
      '/home/ada/.config/Pilothouse/engine',
    ])
    const library = '/home/ada/Library/Application Support/Pilothouse'
    expect(places('darwin')).toEqual([library, library, `${library}/engine`])
    expect(places('win32', { LOCALAPPDATA: String.raw`D:\Local` })).toEqual([
      String.raw`C:\Users\ada\AppData\Roaming\Pilothouse`,
      String.raw`D:\Local\Pilothouse`,
      String.raw`C:\Users\ada\AppData\Roaming\Pilothouse\engine`,
    ])
  })

  it('follow XDG variables when they are absolute', () => {
    expect(places('linux', { XDG_CONFIG_HOME: '/c', XDG_DATA_HOME: 'relative' })).toEqual([
      '/c/pilothouse',
      '/home/ada/.local/share/pilothouse',
      '/c/Pilothouse/engine',
    ])
  })
})
