import type { IncomingMessage } from 'node:http'
import type { GuardRefusal } from '../guards/index.ts'
import type { ProxyLimits } from '../../contract/index.ts'
import { isHost } from './headers.ts'

export interface Destination {
  /** Path and query as they were sent, beginning with a slash; `*` for a request that is about the server itself. */
  path: string
  host: string
}

/**
 * Refuses what Node's parser lets through but could be read in two ways further on, or is above a limit. What two
 * readers could frame differently (both lengths, two lengths, folded or bare line ends) the parser has refused.
 */
export function checkRequest(request: IncomingMessage, limits: ProxyLimits): GuardRefusal | Destination {
  const { rawHeaders, headers, method, httpVersionMajor, httpVersionMinor } = request
  // HTTP/2 begins otherwise: this is someone who wants it read so further on.
  if (httpVersionMajor !== 1) return { status: 505, text: 'Only HTTP/1 is supported.' }
  if (rawHeaders.length / 2 > limits.maxHeaderCount)
    return { status: 431, text: `More than ${limits.maxHeaderCount} header fields.` }
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) if (/^host$/i.test(rawHeaders[i] as string)) hosts += 1
  if (hosts > 1) return { status: 400, text: 'More than one Host header.' }
  if (hosts === 0 && httpVersionMinor > 0) return { status: 400, text: 'The Host header is missing.' }
  if (!isHost(headers.host ?? '')) return { status: 400, text: 'The Host header is not valid.' }
  const { expect } = headers
  if (expect !== undefined && expect.toLowerCase() !== '100-continue')
    return { status: 417, text: 'Unknown expectation.' }
  const coding = headers['transfer-encoding']
  if (coding !== undefined) {
    // Version 1.0 has no transfer codings: whoever stands behind may ignore it.
    if (httpVersionMinor < 1) return { status: 400, text: 'Transfer-Encoding in HTTP/1.0.' }
    if (coding.toLowerCase() !== 'chunked') return { status: 501, text: 'Unknown transfer coding.' }
  }
  if (Number(headers['content-length'] ?? 0) > limits.maxBodyBytes)
    return { status: 413, text: `The body is larger than ${limits.maxBodyBytes} bytes.` }
  if (method === 'TRACE' || method === 'CONNECT') return { status: 405, text: `${method} is not supported.` }
  return destinationOf(request.url ?? '', headers.host, method === 'OPTIONS')
}

/** Whether a body follows the header. */
export const hasBody = ({ headers }: IncomingMessage): boolean =>
  (headers['content-length'] ?? '0') !== '0' || headers['transfer-encoding'] !== undefined

/** Scheme, authority without user, and what follows up to a fragment. To a `URL` a backslash is a slash: refused. */
const absoluteForm = /^http:\/\/([^/?#@\\]+)([/?][^#]*)?(?:#|$)/i

/**
 * Of the origin form; of the absolute form, whose host wins over the field (RFC 9112 §3.2.2); or of the asterisk form,
 * which OPTIONS alone may have, and which its absolute form without a path means (§3.2.4). A path is passed on byte for
 * byte: a signature may cover it.
 */
function destinationOf(
  target: string,
  host: string | undefined,
  isOptions: boolean,
): GuardRefusal | Destination {
  if (target.startsWith('/')) return { path: target, host: host ?? '' }
  if (target === '*' && isOptions) return { path: target, host: host ?? '' }
  const [, authority = '', path = ''] = absoluteForm.exec(target) ?? []
  if (authority !== '' && isHost(authority) && URL.canParse(`http://${authority}`)) {
    const { host: named } = new URL(`http://${authority}`)
    if (path === '') return { path: isOptions ? '*' : '/', host: named }
    return { path: path.startsWith('/') ? path : `/${path}`, host: named }
  }
  return { status: 400, text: 'The target of the request is not a path.' }
}
