import * as z from 'zod'
import { describe, expect, it } from 'vitest'
import { nameSchema } from '../../../../src/contract/index.ts'
import { edgeForm } from '../../../../src/engine/config/edge-platform.ts'
import { serviceFormOf, type PlatformForm } from '../../../../src/engine/config/platform-form.ts'
import { loaded, mistakes } from './sources.ts'

const service = (text: string) => `services:\n  shop: {${text}}\n`
const definitionOf = (text: string) => loaded(service(text)).config.services[0]?.definition

describe('the platform of a service', () => {
  it('is the embedded one where none is named, and so it was for configs of earlier versions', () => {
    const named = definitionOf('platform: edge, listen: {port: 8080}')
    expect(named?.platform).toBe('edge')
    expect(definitionOf('listen: {port: 8080}')).toEqual(named)
    expect(definitionOf('target: edge, router: edge, listen: {port: 8080}')).toEqual(named)
  })

  it.each([
    ['platform: egde', 'found the string "egde", expected one of edge', 'did you mean "edge"?'],
    [
      'platform: docker',
      'found the string "docker", expected one of edge',
      'write one of these words, such as edge',
    ],
    ['platform: 3', 'found the number 3, expected one of edge', 'write one of these words, such as edge'],
  ])('is refused with its place, its choices and a remedy: %s', (text, message, hint) => {
    expect(mistakes(service(text))).toEqual([`2:20 services.shop.platform: ${message} | ${hint}`])
  })

  it('says which settings its services have', () => {
    const settings =
      'platform, target, router, listen, routing, health, timeouts, limits, drain, grace, memoryLimit, user, group, deploy, checks, releases'
    expect(mistakes(service('drian: 3s'))).toEqual([
      `2:10 services.shop.drian: unknown key "drian", expected ${settings} | did you mean "drain"?`,
    ])
    expect(mistakes('services:\n  shop: 5\n')).toEqual([
      `2:9 services.shop: found the number 5, expected a section with ${settings} | indent its keys below it, each as \`key: value\``,
    ])
  })
})

describe('with a second platform', () => {
  const ships: PlatformForm<string> = {
    name: 'ships',
    settings: z.strictObject({
      platform: z.literal('ships'),
      dock: z.string(),
      leaveMs: z.number().default(1000),
    }),
    words: {},
    releases: {
      form: z.strictObject({ image: z.string() }),
      read: () => ({ artifact: { kind: 'command', argv: ['-'], env: {} }, parameters: {}, note: '' }),
    },
  }
  const form = serviceFormOf([edgeForm, ships], {}, nameSchema)
  const issuesOf = (written: unknown) => form.safeParse(written).error?.issues

  it('a service has the settings and releases of the platform that it names', () => {
    const written = { platform: 'ships', dock: 'north', leave: '2s', releases: { r1: { image: 'shop:1' } } }
    expect(form.parse(written)).toEqual({ ...written, leave: 2000 })
    expect(form.parse({ platform: 'ships', dock: 'north' })).toMatchObject({ leave: 1000 })
    expect(form.parse({ listen: { port: 80 } })).toMatchObject({ platform: 'edge', listen: { port: 80 } })
  })

  it('no service has the settings or the releases of another one', () => {
    expect(issuesOf({ dock: 'north' })).toMatchObject([{ code: 'unrecognized_keys', keys: ['dock'] }])
    expect(issuesOf({ platform: 'ships', dock: 'north', drain: '3s' })).toMatchObject([
      { code: 'unrecognized_keys', keys: ['drain'] },
    ])
    const releases = { r1: { command: ['node'] } }
    expect(issuesOf({ platform: 'ships', dock: 'north', releases })).toMatchObject([
      { path: ['releases', 'r1', 'image'] },
      { path: ['releases', 'r1'], keys: ['command'] },
    ])
    expect(issuesOf({ platform: 'ships' })).toMatchObject([{ path: ['dock'] }])
  })
})
