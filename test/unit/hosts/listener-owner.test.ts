import { describe, expect, it } from 'vitest'
import { isOwnListener, listenersIn, type ListeningProcess } from '../../../src/hosts/listener-owner.ts'

const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1E64 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 392332 1 0 100 0 0 10 0
   1: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1583 1 0 100 0 0 10 0
   2: 0100007F:1E64 0100007F:C350 01 00000000:00000000 00:00000000 00000000 65534        0 392399 1 0 20 4 30 10 -1
`
const tcp6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000001000000:1E64 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     7        0 1 1 0 100 0 0 10 0
   1: 00000000000000000000000000000000:1E65 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     8        0 2 1 0 100 0 0 10 0
   2: 0000000000000000FFFF00000100007F:1E66 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     9        0 3 1 0 100 0 0 10 0
`

describe('the listening sockets of the kernel', () => {
  it('are read with their address, port and user, connections left out', () => {
    expect(listenersIn(tcp)).toEqual([
      { address: '127.0.0.1', port: 7780, uid: 1000 },
      { address: '0.0.0.0', port: 2024, uid: 0 },
    ])
    expect(listenersIn(tcp6)).toEqual([
      { address: '::1', port: 7780, uid: 7 },
      { address: '::', port: 7781, uid: 8 },
      { address: '127.0.0.1', port: 7782, uid: 9 },
    ])
    expect(listenersIn('')).toEqual([])
  })
})

describe('a listener', () => {
  const [me, thief] = [1000, 65_534]
  const at = (address: string, uid: number, port = 7780): ListeningProcess => ({ address, port, uid })
  const url = 'http://127.0.0.1:7780'

  it.each<[string, string, ListeningProcess[], boolean]>([
    ['is own when this user has the address', url, [at('127.0.0.1', me)], true],
    ['is own when this user has every address', url, [at('::', me)], true],
    ['is not when nobody listens', url, [at('127.0.0.1', me, 7781)], false],
    ['is not when another user has the address', url, [at('127.0.0.1', thief)], false],
    ['is not when another user has every address', url, [at('0.0.0.0', thief)], false],
    [
      'is own beside one of another user that connections do not reach',
      url,
      [at('127.0.0.1', me), at('127.0.0.2', thief), at('0.0.0.0', thief), at('::1', thief)],
      true,
    ],
    [
      'is not when a name leads to another user, too',
      'http://localhost:7780',
      [at('127.0.0.1', me), at('::1', thief)],
      false,
    ],
    ['is own at IPv6', 'http://[::1]:7780', [at('::1', me), at('127.0.0.1', thief)], true],
    ['is not at IPv6 by having IPv4', 'http://[::1]:7780', [at('0.0.0.0', me)], false],
  ])('%s', (_, origin, listeners, isOwn) => {
    expect(isOwnListener(listeners, origin, me)).toBe(isOwn)
  })
})
