import { decodeFrame, encodeFrame, maxMessageBytes, type LiveChannel } from '../../contract/index.ts'
import { LivePublisher, type PublisherOptions } from '../../engine/live/index.ts'

/** Publishes live state on `channel` until either side closes it. */
export function serveLive(channel: LiveChannel, options: Omit<PublisherOptions, 'send' | 'drop'>): void {
  const publisher = new LivePublisher({
    ...options,
    send: (frame) => channel.send(encodeFrame(frame)),
    drop: () => channel.close(),
  })
  channel.onClose(() => publisher[Symbol.dispose]())
  channel.onMessage((bytes) => {
    if (bytes.byteLength > maxMessageBytes) {
      channel.close()
      return
    }
    let frame: unknown
    try {
      frame = decodeFrame(bytes)
    } catch {
      channel.close()
      return
    }
    publisher.receive(frame)
  })
}
