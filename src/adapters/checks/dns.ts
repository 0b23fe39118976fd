import { lookup, Resolver } from 'node:dns/promises'
import {
  failed,
  failedForNow,
  passed,
  type CheckConfigOf,
  type CheckVerdict,
} from '../../engine/validation/index.ts'
import { causeText } from './network.ts'
import type { Run } from './surroundings.ts'

/**
 * A name is known, and is what it should be. Addresses are asked for as services do (the system's resolver, its hosts
 * file included) unless servers are named.
 */
export function dnsCheck(config: CheckConfigOf<'dns'>): Run {
  const { host, type, servers, expect } = config
  return async (_request, signal) => {
    let found: string[]
    try {
      found = await valuesOf(config, signal)
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException
      if (code === 'ENODATA') return failed(`${host} has no ${type} record.`)
      return failedForNow(`The ${type} record of ${host} could not be found: ${causeText(thrown)}.`)
    }
    return judge(found)
  }

  function judge(found: string[]): CheckVerdict {
    const output = found.join('\n')
    const asked = servers.length > 0 ? ` at ${servers.join(', ')}` : ''
    if (found.length === 0) return failed(`${host} has no ${type} record${asked}.`)
    if (expect.length > 0 && !expect.some((value) => found.includes(value)))
      return failed(
        `${host} resolves to ${found.slice(0, 5).join(', ')}, expected one of ${expect.join(', ')}.`,
        output,
      )
    return passed(`${host} resolves${asked} to: ${found.slice(0, 5).join(', ')}.`, output)
  }
}

async function valuesOf(
  { host, type, servers }: CheckConfigOf<'dns'>,
  signal: AbortSignal,
): Promise<string[]> {
  if (servers.length === 0 && (type === 'A' || type === 'AAAA')) {
    const found = await lookup(host, { all: true, family: type === 'A' ? 4 : 6 })
    return found.map(({ address }) => address)
  }
  const resolver = new Resolver()
  if (servers.length > 0) resolver.setServers(servers)
  const onAbort = () => resolver.cancel()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    switch (type) {
      case 'A':
        return await resolver.resolve4(host)
      case 'AAAA':
        return await resolver.resolve6(host)
      case 'CNAME':
        return await resolver.resolveCname(host)
      case 'TXT':
        return (await resolver.resolveTxt(host)).map((parts) => parts.join(''))
      case 'MX':
        return (await resolver.resolveMx(host)).map(({ exchange }) => exchange)
      case 'SRV':
        return (await resolver.resolveSrv(host)).map(({ name, port }) => `${name}:${port}`)
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
