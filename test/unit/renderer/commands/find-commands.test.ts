import { describe, expect, it } from 'vitest'
import type { Command } from '../../../../src/renderer/commands/command-registry.svelte.ts'
import { findCommands } from '../../../../src/renderer/commands/find-commands.ts'

const command = (title: string, keywords: string[] = [], group: Command['group'] = 'Go to'): Command => ({
  id: title,
  title,
  group,
  keywords,
  run: () => undefined,
})
const commands = [
  command('Overview', ['home', 'health']),
  command('Host vm', ['cpu', 'memory']),
  command('Settings: about', ['version']),
  command('Change theme', ['night'], 'View'),
  command('Theme: dark', ['night'], 'View'),
]
const titles = (text: string) => findCommands(commands, text).map(({ title }) => title)

describe('the palette', () => {
  it('offers everything in its order before anything is typed', () => {
    expect(titles('  ')).toEqual(commands.map(({ title }) => title))
  })

  it('puts titles that begin with the text before those that contain it', () => {
    expect(titles('theme')).toEqual(['Theme: dark', 'Change theme'])
  })

  it('finds by keyword, in any case', () => {
    expect(titles('CPU')).toEqual(['Host vm'])
    expect(titles('night dark')).toEqual(['Theme: dark'])
  })

  it('wants every word', () => {
    expect(titles('settings moon')).toEqual([])
  })
})
