import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { probe } from '../../../src/edge/supervisor/health-probe.ts'

/** Asks a server that says `head` once and then `piece` until nobody reads on; resolves when it is cut off. */
async function askEndless(head: string, piece: string) {
  const connections: Socket[] = []
  const server = createServer((socket) => {
    connections.push(socket)
    socket.on('error', () => undefined)
    const sayOn = () => {
      if (socket.destroyed) return
      if (socket.write(piece)) setImmediate(sayOn)
      else socket.once('drain', sayOn)
    }
    socket.once('data', () => {
      socket.write(head)
      sayOn()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const closed = once(server, 'connection').then(([socket]) => once(socket as Socket, 'close'))
  try {
    const outcome = await probe({ address: '127.0.0.1', port, path: '/', host: null, timeoutMs: 3_600_000 })
    await closed
    return outcome
  } finally {
    for (const socket of connections) socket.destroy()
    server.close()
  }
}

const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`

describe('a health check', () => {
  it.each([
    [200, { kind: 'well' }],
    [503, { kind: 'unwell', why: 'its health check answered 503' }],
  ])('is decided by the status %i, and closes an answer without an end', async (status, outcome) => {
    const head = `HTTP/1.1 ${status} Whatever\r\nTransfer-Encoding: chunked\r\n\r\n`
    expect(await askEndless(head, chunk)).toEqual(outcome)
  })

  it('fails when interim responses never end', async () => {
    const early = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'
    expect(await askEndless('', early.repeat(100))).toEqual({
      kind: 'unwell',
      why: 'its health check got only interim responses',
    })
  })

  const answerOf = async (answer: string) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', () => socket.end(answer))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const outcome = await probe({ address: '127.0.0.1', port, path: '/', host: null, timeoutMs: 3_600_000 })
    server.close()
    return outcome
  }

  it('takes what follows interim responses', async () => {
    const early = 'HTTP/1.1 100 Continue\r\n\r\n'
    const answer = `${early}HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n`
    expect(await answerOf(answer)).toEqual({ kind: 'well' })
  })

  it('takes as large a header as requests do', async () => {
    const answer = `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(200_000)}\r\nContent-Length: 0\r\n\r\n`
    expect(await answerOf(answer)).toEqual({ kind: 'well' })
  })

  it('fails when an instance wants another protocol or says nothing that is HTTP', async () => {
    const upgrade = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'
    for (const answer of [upgrade, 'hello\n', ''])
      expect(await answerOf(answer)).toMatchObject({ kind: 'unwell' })
  })
})
