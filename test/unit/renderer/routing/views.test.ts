import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isInside, withQuery } from '../../../../src/renderer/routing/address.ts'
import { hostPath, pathOf, sectionOf, viewOf, type View } from '../../../../src/renderer/routing/views.ts'

describe('the view at an address', () => {
  it.each<[string, View]>([
    ['/', { screen: 'overview' }],
    ['/overview', { screen: 'overview' }],
    ['/overview/', { screen: 'overview' }],
    ['/host/local', { screen: 'host', hostId: 'local' }],
    ['/host/rack%201%2Fdb', { screen: 'host', hostId: 'rack 1/db' }],
    ['/settings', { screen: 'settings', section: 'config' }],
    ['/settings/about', { screen: 'settings', section: 'about' }],
    ['/settings/nothing', { screen: 'missing', path: '/settings/nothing' }],
    ['/services', { screen: 'services' }],
    ['/services/checkout', { screen: 'service', name: 'checkout' }],
    ['/deployments/a-1', { screen: 'deployment', id: 'a-1' }],
    ['/activity', { screen: 'activity' }],
    ['/activity/more', { screen: 'missing', path: '/activity/more' }],
    ['/host', { screen: 'missing', path: '/host' }],
    ['/overview/more', { screen: 'missing', path: '/overview/more' }],
    ['/host/a/b', { screen: 'missing', path: '/host/a/b' }],
  ])('%s', (path, view) => {
    expect(viewOf(path)).toEqual(view)
  })

  it('is the view again that the address was made from, whatever a host is called', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (hostId) => {
        const path = new URL(pathOf({ screen: 'host', hostId }), 'http://page').pathname
        // A dot or two alone are taken for steps by every URL parser, encoded or not.
        fc.pre(hostId !== '.' && hostId !== '..')
        expect(viewOf(path)).toEqual({ screen: 'host', hostId })
      }),
    )
  })

  it('is found for any path without a throw', () => {
    fc.assert(fc.property(fc.string(), (path) => void viewOf(`/${path}`)))
    expect(viewOf('/host/%E0%A4%A')).toEqual({ screen: 'host', hostId: '%E0%A4%A' })
  })

  it('leads from a series to its part of the Host screen', () => {
    expect(hostPath('local', sectionOf('filesystem.used{device=/dev/vda,mount=/}'))).toBe('/host/local#disk')
    expect(hostPath('local', sectionOf('cpu.busy'))).toBe('/host/local#cpu')
    expect(hostPath('local', sectionOf('weather.rain'))).toBe('/host/local')
  })
})

describe('the query of an address', () => {
  it('takes, changes and removes entries and leaves the rest alone', () => {
    const href = 'http://page/host/local?range=1h&paused=1#cpu'
    expect(withQuery(href, { range: '6h' })).toBe('http://page/host/local?range=6h&paused=1#cpu')
    expect(withQuery(href, { paused: null })).toBe('http://page/host/local?range=1h#cpu')
    expect(withQuery(href, { range: '' })).toBe('http://page/host/local?paused=1#cpu')
  })
})

describe('a link', () => {
  it.each([
    ['/host/local', true],
    ['?q=x', true],
    ['https://example.org/overview', false],
    ['http://page:81/overview', false],
    ['/api/docs', false],
    ['/metrics', false],
    ['/apiary', true],
  ])('%s inside the page: %s', (address, inside) => {
    expect(isInside(address, 'http://page/overview')).toBe(inside)
  })

  it('is told apart under the scheme of the desktop, where origins are opaque', () => {
    expect(isInside('/settings', 'pilothouse-app://app/overview')).toBe(true)
    expect(isInside('pilothouse-app://other/settings', 'pilothouse-app://app/overview')).toBe(false)
    expect(isInside('https://app/settings', 'pilothouse-app://app/overview')).toBe(false)
  })
})
