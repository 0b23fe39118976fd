import * as z from 'zod'
import { configFileSchema } from './schema.ts'

/** A copy of `schema` without defaults: an override that is not written changes nothing. */
function withoutDefaults(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutDefaults)
  if (typeof schema !== 'object' || schema === null) return schema
  const kept = Object.entries(schema).filter(([key]) => key !== 'default')
  return Object.fromEntries(kept.map(([key, value]) => [key, withoutDefaults(value)]))
}

/** JSON Schema (draft 7, which editors know best) of what a person writes in pilothouse.yaml. */
export function configJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(configFileSchema, { io: 'input', target: 'draft-7' })
  const properties = schema.properties ?? {}
  return {
    $schema: schema.$schema,
    title: 'Pilothouse configuration',
    type: schema.type,
    properties: { ...properties, environments: withoutDefaults(properties.environments) },
    additionalProperties: schema.additionalProperties,
  }
}
