import { describe, expect, it } from 'vitest'
import { filterEntries } from '../../../../src/renderer/screens/settings/config-filter.ts'

const live = { effect: 'live' as const, running: null }
const entries = [
  { path: 'server.port', value: '7780', origin: 'default', isDefault: true, ...live },
  { path: 'server.host', value: '127.0.0.1', origin: 'flag --host', isDefault: false, ...live },
  { path: 'telemetry.interval', value: '1s', origin: 'file pilothouse.yaml:3:7', isDefault: false, ...live },
]
const found = (filter: string) => filterEntries(entries, filter).map(({ path }) => path)

describe('the filter of options', () => {
  it('lets everything through while it is empty', () => {
    expect(found('  ')).toHaveLength(3)
  })

  it('looks at name, value and origin in any case, and wants every word', () => {
    expect(found('SERVER')).toEqual(['server.port', 'server.host'])
    expect(found('server flag')).toEqual(['server.host'])
    expect(found('yaml:3')).toEqual(['telemetry.interval'])
    expect(found('127')).toEqual(['server.host'])
    expect(found('server yaml')).toEqual([])
  })
})
