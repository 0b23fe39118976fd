import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { serviceDefinitionSchema } from '../../../src/contract/index.ts'
import { AddressList } from '../../../src/edge/guards/address-list.ts'
import { requestHeaders } from '../../../src/edge/proxy/headers.ts'
import { originOf } from '../../../src/edge/proxy/origin.ts'

const listen = (trustedProxies?: string[]) =>
  serviceDefinitionSchema.parse({ name: 'shop', listen: { trustedProxies } }).listen

/** A request as the parser gives it, from `peer`. */
const requestOf = (peer: string, fields: Record<string, string>): IncomingMessage =>
  ({
    socket: { remoteAddress: peer },
    headers: fields,
    rawHeaders: Object.entries(fields).flat(),
  }) as unknown as IncomingMessage

const seenBy = (request: IncomingMessage, trustedProxies?: string[]) => {
  const list = new AddressList(listen(trustedProxies).trustedProxies)
  const origin = originOf(request, (address) => list.has(address))
  const flat = requestHeaders(request, origin, 'shop.example')
  const fields = Object.fromEntries(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1]]] : [])))
  return { ...origin, fields: fields as Record<string, string> }
}

const said = {
  'x-forwarded-for': '192.0.2.7',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'www.example',
  'x-forwarded-port': '443',
  'x-real-ip': '192.0.2.7',
  forwarded: 'for=192.0.2.7;proto=https',
}

describe('where a request came from', () => {
  it('is what a proxy on this machine says, unless told otherwise', () => {
    for (const peer of ['127.0.0.1', '::ffff:127.0.0.1', '::1']) {
      const { client, fields } = seenBy(requestOf(peer, said))
      expect(client).toBe('192.0.2.7')
      const plain = peer.replace('::ffff:', '')
      expect(fields).toMatchObject({
        'x-forwarded-for': `192.0.2.7, ${plain}`,
        'x-forwarded-proto': 'https',
        'x-forwarded-host': 'www.example',
        'x-forwarded-port': '443',
        'x-real-ip': '192.0.2.7',
      })
      expect(fields['forwarded']).toMatch(/^for=192\.0\.2\.7;proto=https, for=/)
    }
  })

  it.each([
    ['198.51.100.1', undefined],
    ['127.0.0.1', []],
  ])('is nothing that %s says, who is not trusted with %j', (peer, trusted) => {
    const { client, fields } = seenBy(requestOf(peer, { ...said, x_forwarded_proto: 'https' }), trusted)
    expect(client).toBe(peer)
    expect(fields).toEqual({
      host: 'shop.example',
      'x-forwarded-for': peer,
      'x-forwarded-host': 'shop.example',
      'x-forwarded-proto': 'http',
      forwarded: `for=${peer};host="shop.example";proto=http`,
    })
  })

  it.each([
    ['the last that is no proxy of ours', '192.0.2.66, 192.0.2.7, 10.0.0.2', '192.0.2.7'],
    ['without its port', '192.0.2.7:4711', '192.0.2.7'],
    ['of version 6, in brackets', '[2001:db8::7]:4711', '2001:db8::7'],
    ['the first where all are proxies', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['the nearest proxy when what stands before it is no address', 'unknown, 10.0.0.2', '10.0.0.2'],
    ['whoever has connected when nothing is an address', '1.2.3.4.5', '10.0.0.1'],
    ['whoever has connected when nothing is said', '', '10.0.0.1'],
  ])('is %s: "%s"', (_, chain, client) => {
    const fields = { 'x-forwarded-for': chain }
    expect(seenBy(requestOf('10.0.0.1', fields), ['10.0.0.0/8']).client).toBe(client)
  })

  it('takes of several hosts and protocols what the nearest proxy says', () => {
    const fields = { 'x-forwarded-host': 'evil.example, www.example', 'x-forwarded-proto': 'https, http' }
    expect(seenBy(requestOf('127.0.0.1', fields)).fields).toMatchObject({
      'x-forwarded-host': 'www.example',
      'x-forwarded-proto': 'http',
    })
  })

  it.each(['10.0.0.0/33', 'example.org', '', '10.0.0.1/8/8'])('refuses "%s" as a proxy', (entry) => {
    expect(() => listen([entry])).toThrow('an IP address, or a range such as 10.0.0.0/8')
  })

  it.each(['10.0.0.1', '10.0.0.0/8', '::1', '2001:db8::/32'])('knows "%s" as a proxy', (entry) => {
    expect(
      new AddressList(listen([entry]).trustedProxies).has(entry.replace('/8', '').replace('/32', '')),
    ).toBe(true)
  })
})
