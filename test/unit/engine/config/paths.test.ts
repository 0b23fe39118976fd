import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keysIn, pathText } from '../../../../src/engine/config/paths.ts'

describe('the text of a path', () => {
  it('puts a key in quotes only where it could be read as something else', () => {
    expect(pathText(['server', 'port'])).toBe('server.port')
    expect(pathText(['services', 'my.svc', 'releases', '1.10'])).toBe('services."my.svc".releases."1.10"')
  })

  it('leads back to the keys, whatever they are', () => {
    const key = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('.', '"', '\\', 'a', ' ') }))
    fc.assert(
      fc.property(fc.array(key), (keys) => {
        expect(keysIn(pathText(keys))).toEqual(keys)
      }),
    )
  })
})
