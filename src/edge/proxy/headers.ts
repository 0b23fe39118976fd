import type { IncomingMessage } from 'node:http'
import type { RequestOrigin } from './origin.ts'

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

/** Written anew by us, from what a trusted proxy says and what we see. */
const rewritten = new Set(['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'forwarded'])

/** A client's own `Forwarded` must end where it ends: an open quote would swallow what is put behind it. */
const endsItsQuotes = /^(?:[^"\\]|"(?:[^"\\]|\\.)*")*$/

/**
 * Whether a field says where a request came from, and is not passed on as it is. Gateways that hand fields on as
 * variables (CGI, WSGI) take `_` for `-`: what is spelled so would pass as ours.
 */
function isOfOrigin(name: string, isTrusted: boolean): boolean {
  const plain = name.replaceAll('_', '-')
  if (isTrusted) return rewritten.has(plain)
  return plain.startsWith('x-forwarded-') || plain === 'forwarded' || plain === 'x-real-ip'
}

/** Header names that `Connection` declares to be for this hop only. */
function namedIn(connection: string | undefined): ReadonlySet<string> | null {
  if (connection === undefined || /^(keep-alive|close|upgrade)$/i.test(connection)) return null
  return new Set(connection.split(',').map((name) => name.trim().toLowerCase()))
}

/**
 * The header fields that an instance gets, flat: those of the client without what is for this hop, and where the
 * request came from, in the customary fields and in `Forwarded` (RFC 7239). `host` is where it was sent to.
 */
export function requestHeaders(
  { rawHeaders, headers }: IncomingMessage,
  { peer, isTrusted }: RequestOrigin,
  host: string,
): string[] {
  const named = namedIn(headers.connection)
  const result: string[] = ['host', host]
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    const lower = name.toLowerCase()
    if (lower === 'host' || hopByHop.has(lower) || isOfOrigin(lower, isTrusted) || named?.has(lower)) continue
    result.push(name, rawHeaders[i + 1] as string)
  }
  // For the way to us only, where nobody else is in between.
  if (takesTrailers({ headers })) result.push('te', 'trailers')
  const node = peer.includes(':') ? `"[${peer}]"` : peer
  const said = isTrusted ? headers : {}
  const element = `for=${node};host="${host}";proto=http`
  const chain = said.forwarded
  const hostBefore = lastOf(said['x-forwarded-host'])
  result.push(
    'x-forwarded-for',
    said['x-forwarded-for'] === undefined ? peer : `${String(said['x-forwarded-for'])}, ${peer}`,
    'x-forwarded-host',
    hostBefore !== undefined && isHost(hostBefore) ? hostBefore : host,
    'x-forwarded-proto',
    lastOf(said['x-forwarded-proto'])?.toLowerCase() === 'https' ? 'https' : 'http',
    'forwarded',
    chain !== undefined && endsItsQuotes.test(chain) ? `${chain}, ${element}` : element,
  )
  return result
}

/** Of a list, what the nearest proxy has put down: it does not vouch for what stands before. */
const lastOf = (list: string | string[] | undefined): string | undefined =>
  list === undefined ? undefined : String(list).split(',').at(-1)?.trim()

/** Whether a text can be a host with or without a port (RFC 3986 §3.2.2); nothing is one, too. */
export const isHost = (text: string): boolean => /^[\w.~!$&'()*+,;=%:[\]-]*$/.test(text)

const first = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value

/** Whether whoever asks can do something with fields behind the body (RFC 9110 §6.5.1). */
export const takesTrailers = ({ headers }: Pick<IncomingMessage, 'headers'>): boolean =>
  /(?:^|,)\s*trailers\s*(?:$|[,;])/i.test(String(headers.te ?? ''))

/** What a body is read by comes before it (RFC 9110 §6.5.1). */
const neverTrailers = new Set(['content-length', 'content-encoding', 'content-type', 'content-range', 'host'])

/** The fields behind an answer's body as the client gets them. */
export function answerTrailers(
  trailers: Readonly<Record<string, string | string[] | undefined>>,
): [string, string][] {
  return Object.entries(trailers).flatMap(([name, value]) =>
    value === undefined || hopByHop.has(name) || neverTrailers.has(name)
      ? []
      : [value].flat().map((one): [string, string] => [name, one]),
  )
}

/** The header fields of a response as the client gets them, flat. */
export interface AnswerHead {
  fields: string[]
  hasLength: boolean
}

/**
 * The header fields of a response as the client gets them: each as it came, byte for byte (RFC 9110 §5.5 allows more
 * than ASCII), in its order and its case. `connection` is the value of that field, `hasNoBody` drops a length that can
 * only be wrong.
 */
export function answerHead(
  raw: readonly Buffer[],
  connection: string | string[] | undefined,
  hasNoBody: boolean,
): AnswerHead {
  const named = namedIn(first(connection))
  const fields: string[] = []
  let lengthAt = -1
  let dispositionAt = -1
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as Buffer).toString('latin1')
    const lower = name.toLowerCase()
    if (hopByHop.has(lower) || named?.has(lower)) continue
    if (lower === 'content-length') {
      if (hasNoBody) continue
      lengthAt = fields.length
    } else if (lower === 'content-disposition') dispositionAt = fields.length
    fields.push(name, (raw[i + 1] as Buffer).toString('latin1'))
  }
  // Node re-encodes a Content-Disposition that stands behind the length: the length goes last.
  if (lengthAt >= 0 && dispositionAt > lengthAt) fields.push(...fields.splice(lengthAt, 2))
  return { fields, hasLength: lengthAt >= 0 }
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
