import { describe, expect, it } from 'vitest'
import type { PaletteCommand } from '../../../../src/renderer/commands/command-registry.svelte.ts'
import { paletteTargets } from '../../../../src/renderer/frame/palette-targets.ts'
import { findCommands } from '../../../../src/renderer/commands/find-commands.ts'
import { madeDeployment } from '../deployments/made.ts'

const command = (
  title: string,
  keywords: string[] = [],
  group: PaletteCommand['group'] = 'Go to',
): PaletteCommand => ({
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

  it('finds a name by letters of it in their order, after what has the text itself', () => {
    const services = ['Service checkout', 'Service search', 'Service chk-proxy'].map((title) =>
      command(title),
    )
    expect(findCommands(services, 'chk').map(({ title }) => title)).toEqual([
      'Service chk-proxy',
      'Service checkout',
    ])
    expect(findCommands(services, 'xkc')).toEqual([])
  })

  it('finds releases, deployments and settings by name, each once', () => {
    const gone: string[] = []
    const targets = paletteTargets(
      {
        services: [{ name: 'checkout', stableReleaseId: 'r42', candidateReleaseId: 'r43' }],
        deployments: [
          madeDeployment({ id: 'checkout-43', candidateReleaseId: 'r43', phase: 'rolling_back' }),
          madeDeployment({ id: 'checkout-43', candidateReleaseId: 'r43', phase: 'stepping' }),
        ],
        settings: [{ path: 'server.port' }],
      },
      (path) => gone.push(path),
    )
    expect(targets.map(({ title }) => title)).toEqual([
      'Release r42 of checkout',
      'Release r43 of checkout',
      'Deployment checkout r43 (in canary)',
      'Setting server.port',
    ])
    for (const target of targets) target.run()
    expect(gone).toEqual([
      '/services/checkout#releases',
      '/services/checkout#releases',
      '/deployments/checkout-43',
      '/settings/config?q=server.port',
    ])
  })

  it('wants every word', () => {
    expect(titles('settings moon')).toEqual([])
  })
})
