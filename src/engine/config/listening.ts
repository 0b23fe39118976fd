/** Where something listens. */
export interface Listening {
  host: string
  /** 0 takes a free one. */
  port: number
}

/** As the system takes it: `localhost` is the loopback, of which services and the server use the first address. */
const addressOf = (host: string): string => (host === 'localhost' ? '127.0.0.1' : host.toLowerCase())

/** Whether an address is one of those that an unspecified one stands for. */
const isAmong = (address: string, all: string): boolean =>
  all === '::' || (all === '0.0.0.0' && !address.includes(':'))

/** Whether two that listen would be in each other's way: one port at one address, or at all addresses. */
export function isSamePlace(a: Listening, b: Listening): boolean {
  if (a.port === 0 || a.port !== b.port) return false
  const [one, other] = [addressOf(a.host), addressOf(b.host)]
  return one === other || isAmong(one, other) || isAmong(other, one)
}
