import type { IncomingMessage } from 'node:http'

/** Between two neighbours only (RFC 9110 §7.6.1), and what nobody may pass on. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  // Answered by the proxy itself.
  'expect',
  'http2-settings',
])

const forwarded = new Set(['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'forwarded'])

/** A client's own `Forwarded` must end where it ends: an open quote would swallow what is put behind it. */
const endsItsQuotes = /^(?:[^"\\]|"(?:[^"\\]|\\.)*")*$/

/** Gateways that hand fields on as variables (CGI, WSGI) take `_` for `-`: what is spelled so would pass as ours. */
const isForwarded = (name: string): boolean =>
  forwarded.has(name) || (name.includes('_') && forwarded.has(name.replaceAll('_', '-')))

/** Header names that `Connection` declares to be for this hop only. */
function namedIn(connection: string | undefined): ReadonlySet<string> | null {
  if (connection === undefined || /^(keep-alive|close|upgrade)$/i.test(connection)) return null
  return new Set(connection.split(',').map((name) => name.trim().toLowerCase()))
}

/**
 * The header fields that an instance gets, flat: those of the client without what is for this hop, and where the
 * request came from, in the customary fields and in `Forwarded` (RFC 7239). `host` is where it was sent to.
 */
export function requestHeaders(request: IncomingMessage, client: string, host: string): string[] {
  const { rawHeaders, headers } = request
  const named = namedIn(headers.connection)
  const result: string[] = ['host', host]
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    const lower = name.toLowerCase()
    if (lower === 'host' || hopByHop.has(lower) || isForwarded(lower) || named?.has(lower)) continue
    result.push(name, rawHeaders[i + 1] as string)
  }
  const before = headers['x-forwarded-for']
  result.push('x-forwarded-for', before === undefined ? client : `${String(before)}, ${client}`)
  const hostBefore = first(headers['x-forwarded-host'])
  result.push('x-forwarded-host', hostBefore !== undefined && isHost(hostBefore) ? hostBefore : host)
  result.push('x-forwarded-proto', headers['x-forwarded-proto'] === 'https' ? 'https' : 'http')
  const node = client.includes(':') ? `"[${client}]"` : client
  const element = `for=${node};host="${host}";proto=http`
  const chain = headers.forwarded
  result.push(
    'forwarded',
    chain !== undefined && endsItsQuotes.test(chain) ? `${chain}, ${element}` : element,
  )
  return result
}

/** Whether a text can be a host with or without a port (RFC 3986 §3.2.2); nothing is one, too. */
export const isHost = (text: string): boolean => /^[\w.~!$&'()*+,;=%:[\]-]*$/.test(text)

const first = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value

/** The header fields of an answer as the client gets them. */
export function answerHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string | string[]> {
  const named = namedIn(first(headers['connection']))
  const result: Record<string, string | string[]> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined && !hopByHop.has(name) && !named?.has(name)) result[name] = value
  }
  return result
}

/** The value of a cookie; undefined when it was not sent. */
export function cookieOf(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined
  for (const part of header.split(';')) {
    const at = part.indexOf('=')
    if (at > 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim()
  }
  return undefined
}
