import { describe, expect, it } from 'vitest'
import { isViewPath } from '../../../src/contract/index.ts'
import { pathOf, settingsSections, type View } from '../../../src/renderer/routing/views.ts'

/** A screen that is missing here does not compile: on the desktop, a reload of it would find nothing. */
const views: Record<Exclude<View['screen'], 'missing'>, View[]> = {
  overview: [{ screen: 'overview' }],
  host: ['local', 'web1.example.com', 'a host/with ?odd #name'].map((hostId) => ({ screen: 'host', hostId })),
  services: [{ screen: 'services' }],
  service: [{ screen: 'service', name: 'checkout' }],
  deployments: [{ screen: 'deployments' }],
  deployment: [{ screen: 'deployment', id: 'checkout-43.1' }],
  activity: [{ screen: 'activity' }],
  settings: settingsSections.map((section) => ({ screen: 'settings', section })),
}

describe('the addresses of screens', () => {
  it.each(Object.values(views).flat().map(pathOf))('can be opened from outside: %s', (path) => {
    expect(isViewPath(path)).toBe(true)
  })

  it.each([
    '',
    'overview',
    '/Overview',
    '/host',
    '/host/',
    '/host/a/b',
    '/api/calls',
    '/settings/../x',
    '//host',
  ])('do not include %s', (path) => {
    expect(isViewPath(path)).toBe(false)
  })
})
