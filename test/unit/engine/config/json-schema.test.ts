import { describe, expect, it } from 'vitest'
import { configJsonSchema } from '../../../../src/engine/config/index.ts'

interface Schema {
  properties?: Record<string, Schema>
  default?: unknown
  description?: string
  enum?: string[]
  additionalProperties?: boolean | Schema
  oneOf?: Schema[]
}

const schema = configJsonSchema() as Schema
const at = (path: string) =>
  path.split('.').reduce<Schema | undefined>((inner, key) => inner?.properties?.[key], schema)

describe('the JSON Schema for editors', () => {
  it('offers keys with their words, defaults and choices', () => {
    expect(at('server.port')).toMatchObject({ default: 7780, minimum: 0, maximum: 65535 })
    expect(at('telemetry.interval')?.default).toBe('1s')
    expect(at('logging.level')?.enum).toContain('warn')
    expect(at('telemetry.retention.size')?.description).toContain('disk space')
  })

  it('refuses unknown keys at every level', () => {
    for (const path of ['server', 'telemetry.limits.cpu', 'environments', 'environments.production.server']) {
      expect(at(path)?.additionalProperties, path).toBe(false)
    }
    expect(schema.additionalProperties).toBe(false)
  })

  it('knows what stands under the name of a service', () => {
    const { oneOf = [] } = at('services')?.additionalProperties as Schema
    expect(oneOf.map(({ properties }) => properties?.['platform'])).toMatchObject([
      { const: 'edge', default: 'edge' },
    ])
    const service = oneOf[0] as Schema
    expect(service.properties?.['drain']).toMatchObject({ type: 'string', default: '30s' })
    expect(service.properties?.['deploy']?.properties?.['preset']?.enum).toContain('balanced')
    expect(JSON.stringify(service.properties?.['checks'])).toContain('"const":"tcp"')
    expect(JSON.stringify(service)).not.toMatch(/"\w+Ms"/)
  })

  it('claims no defaults for overrides', () => {
    expect(at('environments.production.server.port')).toMatchObject({ maximum: 65535 })
    expect(at('environments.production.server.port')?.default).toBeUndefined()
  })
})
