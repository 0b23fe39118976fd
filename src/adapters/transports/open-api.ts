import { OpenAPIGenerator } from '@orpc/openapi'
import { ZodToJsonSchemaConverter } from '@orpc/zod/zod4'
import { contract } from '../../contract/index.ts'

/** The parts of an OpenAPI document that the page shows. */
export interface OpenApiDocument {
  info: { title: string; version: string }
  paths?: Record<string, Record<string, Operation>>
}

interface Operation {
  operationId?: string
  summary?: string
  parameters?: { name: string; in: string; required?: boolean; schema?: unknown }[]
  requestBody?: { content?: Record<string, { schema?: unknown }> }
  responses?: Record<string, { description?: string; content?: Record<string, { schema?: unknown }> }>
}

/** OpenAPI 3.1 of the whole contract. Columns are arrays of numbers, null for "not measured". */
export async function openApiDocument(version: string): Promise<OpenApiDocument> {
  const generator = new OpenAPIGenerator({
    schemaConverters: [
      new ZodToJsonSchemaConverter({
        interceptors: [
          (options) =>
            options.schema._zod.def.type === 'custom'
              ? [true, { type: 'array', items: { type: ['number', 'null'] } }]
              : options.next(),
        ],
      }),
    ],
  })
  return (await generator.generate(contract, {
    info: { title: 'Pilothouse', version },
    servers: [{ url: '/api/v1' }],
    security: [{ token: [] }],
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
  })) as OpenApiDocument
}

/** A page without scripts that lists every procedure of `document`; works under the strictest policy, offline. */
export function openApiPage(document: OpenApiDocument): string {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width" />
<title>${escape(document.info.title)} API</title>
<link rel="stylesheet" href="/api-docs.css" />
<h1>${escape(document.info.title)} API <small>${escape(document.info.version)}</small></h1>
<p>Base address <code>/api/v1</code>. Send the access token as <code>Authorization: Bearer TOKEN</code>.
The whole description for tools: <a href="/api/openapi.json">openapi.json</a>.</p>
<nav><ul>${operations.map(({ operation }) => `<li><a href="#${anchor(operation)}">${escape(operation.operationId ?? '')}</a> ${escape(operation.summary ?? '')}</li>`).join('')}</ul></nav>
${operations.map(section).join('\n')}
</html>`
}

function section({
  path,
  method,
  operation,
}: {
  path: string
  method: string
  operation: Operation
}): string {
  const body = operation.requestBody?.content?.['application/json']?.schema
  const parameters = (operation.parameters ?? [])
    .map(
      (parameter) =>
        `<tr><td><code>${escape(parameter.name)}</code></td><td>${escape(parameter.in)}</td><td>${parameter.required ? 'required' : ''}</td><td><code>${json(parameter.schema)}</code></td></tr>`,
    )
    .join('')
  const responses = Object.entries(operation.responses ?? {})
    .map(
      ([status, response]) =>
        `<details><summary>${escape(status)} ${escape(response.description ?? '')}</summary><pre>${json(response.content?.['application/json']?.schema, 2)}</pre></details>`,
    )
    .join('')
  return `<section id="${anchor(operation)}"><h2><code>${method.toUpperCase()} ${escape(path)}</code> ${escape(operation.operationId ?? '')}</h2>
<p>${escape(operation.summary ?? '')}</p>
${parameters ? `<table>${parameters}</table>` : ''}
${body ? `<h3>Body</h3><pre>${json(body, 2)}</pre>` : ''}
<h3>Answers</h3>${responses}</section>`
}

const anchor = (operation: Operation): string => encodeURIComponent(operation.operationId ?? '')
const json = (value: unknown, indent = 0): string => escape(JSON.stringify(value ?? {}, null, indent))

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] ?? '')
