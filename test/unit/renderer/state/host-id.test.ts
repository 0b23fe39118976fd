import { expect, it } from 'vitest'
import { hostIdOf } from '../../../../src/renderer/state/host-id.ts'

it('finds a host by its id or by the name on screen, and the id wins', () => {
  const hosts = [
    { host: { id: 'local', name: 'web-1' } },
    { host: { id: 'web-2', name: 'twin' } },
    { host: { id: 'web-3', name: 'twin' } },
    { host: { id: 'twin-4', name: 'web-2' } },
  ]
  expect(hostIdOf(hosts, 'Web-1')).toBe('local')
  expect(hostIdOf(hosts, 'web-2')).toBe('web-2')
  expect(hostIdOf(hosts, 'twin')).toBe('twin')
  expect(hostIdOf(hosts, 'nosuch')).toBe('nosuch')
})
