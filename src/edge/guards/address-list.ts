import { AppError } from '../../base/index.ts'
import { BlockList, isIP } from 'node:net'

/** An IPv4 address that came over an IPv6 socket is that IPv4 address. */
export const plainAddress = (address: string): string =>
  address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address

/** Addresses and ranges of them: who may enter in a lock-down, whose word is taken. */
export class AddressList {
  readonly #list = new BlockList()

  /** Of IP addresses and CIDR ranges; throws BAD_INPUT that names the entry that is neither. */
  constructor(entries: readonly string[]) {
    for (const entry of entries) {
      const [address = '', prefix] = entry.split('/')
      const version = isIP(address)
      const length = Number(prefix ?? (version === 4 ? 32 : 128))
      const isRange = version !== 0 && /^\d+$/.test(prefix ?? '0') && length <= (version === 4 ? 32 : 128)
      if (!isRange || entry.split('/').length > 2)
        throw new AppError('BAD_INPUT', `"${entry}" is neither an IP address nor a CIDR range.`)
      this.#list.addSubnet(address, length, version === 4 ? 'ipv4' : 'ipv6')
    }
  }

  has(address: string): boolean {
    const version = isIP(address)
    return version !== 0 && this.#list.check(address, version === 4 ? 'ipv4' : 'ipv6')
  }
}
