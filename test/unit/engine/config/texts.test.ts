import { describe, expect, it } from 'vitest'
import { serviceTextIn } from '../../../../src/engine/config/index.ts'
import { loaded, mistakes } from './sources.ts'

const names = [
  '1.10',
  '1.1',
  '2026.10',
  '7225e2',
  '12e4567',
  '0123456',
  '0x1F',
  '0o17',
  '12345678901234567890',
  'yes',
  'null',
  'true',
  '2026-11-28',
]

describe('text stays as it is written', () => {
  it.each([
    ['block', names.map((name) => `      ${name}: {command: [a]}\n`).join('')],
    ['flow', `      {${names.map((name) => `${name}: {command: [a]}`).join(', ')}}\n`],
  ])('in the names of releases, in %s notation', (_notation, releases) => {
    const { config } = loaded(`services:\n  shop:\n    releases:\n${releases}`)
    expect(new Set(config.services[0]?.releases.map(({ id }) => id))).toEqual(new Set(names))
  })

  it('in the names of services', () => {
    const { config } = loaded('services: {1.10: {}, 0x1F: {}}')
    expect(config.services.map(({ definition }) => definition.name)).toEqual(['1.10', '0x1F'])
  })

  it.each([...names, '1.0', '.5', '1e3', '-0', '.inf', '0xFF', 'True'])(
    'in environments, parameters and notes: %s',
    (text) => {
      // A variable without a value is a mistake, whatever the word for nothing.
      const value = text === 'null' ? '"null"' : text
      const release = `{command: [a], env: {A: ${value}}, parameters: {p: ${value}}, note: ${text}}`
      const { config } = loaded(`services: {shop: {releases: {r1: ${release}}}}`)
      const [r1] = config.services[0]?.releases ?? []
      expect(r1).toMatchObject({ artifact: { env: { A: text } }, parameters: { p: text }, note: text })
    },
  )

  it('behind an alias', () => {
    const { config } = loaded(
      'services: {shop: {releases: {r1: {command: [a], note: &n 1.10, env: {A: *n}}}}}',
    )
    expect(config.services[0]?.releases[0]?.artifact.env).toEqual({ A: '1.10' })
  })

  it('in the overrides of an environment', () => {
    const text =
      'environment: staging\nenvironments: {staging: {services: {shop: {releases: {1.10: {command: [a], note: 1.0}}}}}}'
    expect(loaded(text).config.services[0]?.releases).toMatchObject([{ id: '1.10', note: '1.0' }])
  })

  it('in a file of one service', () => {
    const text = 'releases:\n  1.10: {command: [a], env: {A: 1.0, B: 007}}\nlisten: {port: 0x10}\n'
    expect(serviceTextIn('shop', 'shop.yaml', text)).toEqual({
      ok: true,
      value: { releases: { '1.10': { command: ['a'], env: { A: '1.0', B: '007' } } }, listen: { port: 16 } },
    })
  })

  it('and numbers stay numbers where a number is meant', () => {
    expect(loaded('server: {port: 0x10}').config.server.port).toBe(16)
    expect(mistakes('server: {port: 1.10}')).toEqual([expect.stringContaining('found the number 1.1')])
  })

  it('so that 1.10 and 1.1 are two releases, and a name that stands twice is named as written', () => {
    expect(mistakes('services: {shop: {releases: {1.10: {command: [a]}, 1.10: {command: [b]}}}}')).toEqual([
      '1:52 : the key "1.10" appears twice | it is already on line 1; keep one',
    ])
  })

  it('but a path without a value is a mistake, whatever the word for nothing', () => {
    for (const nothing of ['', 'null', '~'])
      expect(mistakes(`dataDirectory: ${nothing}`)).toEqual([expect.stringContaining('found nothing')])
  })
})
