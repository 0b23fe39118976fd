import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { plainAddress } from '../guards/index.ts'

/** Where a request came from. */
export interface RequestOrigin {
  /** Whoever has connected to us. */
  peer: string
  /** Whether the peer is a proxy that is believed about it. */
  isTrusted: boolean
  /** Whom it is for, as far as that can be believed: guards and balancing go by it. */
  client: string
}

/** `trusts` tells whether an address is one of a proxy in front. */
export function originOf(
  { socket, headers }: IncomingMessage,
  trusts: (address: string) => boolean,
): RequestOrigin {
  const peer = plainAddress(socket.remoteAddress ?? '')
  if (!trusts(peer)) return { peer, isTrusted: false, client: peer }
  return { peer, isTrusted: true, client: clientIn(String(headers['x-forwarded-for'] ?? ''), trusts) ?? peer }
}

/**
 * The last address that no proxy of ours has: each has put down who came to it, behind what that one said itself. The
 * first one where all are proxies; null when the last is no address.
 */
function clientIn(chain: string, trusts: (address: string) => boolean): string | null {
  let client: string | null = null
  for (const entry of chain.split(',').reverse()) {
    const address = addressIn(entry.trim())
    if (address === null) break
    client = address
    if (!trusts(address)) break
  }
  return client
}

/** Without its port, which some put behind it. */
function addressIn(entry: string): string | null {
  const [, bracketed, v4] = /^(?:\[(.*)\](?::\d+)?|([\d.]+):\d+)$/.exec(entry) ?? []
  const address = plainAddress(bracketed ?? v4 ?? entry)
  return isIP(address) === 0 ? null : address
}
