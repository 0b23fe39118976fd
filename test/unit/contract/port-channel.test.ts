import { EventEmitter, once } from 'node:events'
import { MessageChannel } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { portChannel, type PortLike } from '../../../src/contract/index.ts'

/** A port as Electron has it: messages come as events, after `start`. */
class ElectronPort extends EventEmitter implements PortLike {
  isStarted = false
  isClosed = false
  readonly sent: unknown[] = []
  postMessage(message: unknown): void {
    this.sent.push(message)
  }
  start(): void {
    this.isStarted = true
  }
  close(): void {
    this.isClosed = true
  }
  receive(data: unknown): void {
    this.emit('message', { data, ports: [] })
  }
}

describe('a port as a channel', () => {
  it('carries text and bytes between two ports of Node', async () => {
    const { port1, port2 } = new MessageChannel()
    const left = portChannel(port1)
    const received: (string | Uint8Array)[] = []
    const right = portChannel(port2)
    const both = new Promise<void>((resolve) =>
      right.onMessage((message) => {
        received.push(message)
        if (received.length === 2) resolve()
      }),
    )
    left.send('text')
    left.send(Uint8Array.of(1, 2, 3))
    await both
    expect(received).toEqual(['text', Uint8Array.of(1, 2, 3)])
    const closed = once(port2, 'close')
    left.close()
    await closed
  })

  it("takes the message out of Electron's event, and starts the port only with a receiver", () => {
    const port = new ElectronPort()
    const channel = portChannel(port)
    expect(port.isStarted).toBe(false)
    const received: unknown[] = []
    channel.onMessage((message) => received.push(message))
    expect(port.isStarted).toBe(true)
    port.receive('text')
    port.receive(Uint8Array.of(7))
    expect(received).toEqual(['text', Uint8Array.of(7)])
  })

  it.each([
    [null],
    [undefined],
    [42],
    [{ kind: 'hello' }],
    [[1]],
    [new ArrayBuffer(8)],
    [new Float64Array(2)],
  ])('cuts off a peer that sends %o', (message) => {
    const port = new ElectronPort()
    const channel = portChannel(port)
    const received: unknown[] = []
    let closedCount = 0
    channel.onMessage((text) => received.push(text))
    channel.onClose(() => (closedCount += 1))
    port.receive(message)
    port.receive('too late')
    expect(received).toEqual([])
    expect(port.isClosed).toBe(true)
    expect(closedCount).toBe(1)
  })

  it('tells of its end once, whoever closed, and also whoever asks later', () => {
    const port = new ElectronPort()
    const channel = portChannel(port)
    let closedCount = 0
    channel.onClose(() => (closedCount += 1))
    port.emit('close')
    channel.close()
    expect(closedCount).toBe(1)
    channel.onClose(() => (closedCount += 1))
    expect(closedCount).toBe(2)
    channel.send('nobody is there')
    expect(port.sent).toEqual([])
  })
})
