import {
  decodeFrame,
  encodeFrame,
  maxMessageBytes,
  mayDo,
  type LiveChannel,
  type Principal,
} from '../../contract/index.ts'
import { LivePublisher, type PublisherOptions } from '../../engine/live/index.ts'

/** What is published, to whomever. */
export type LiveSource = Omit<PublisherOptions, 'send' | 'drop' | 'mayUse'>

/** Publishes on `channel` what `principal` may see of the live state, until either side closes it. */
export function serveLive(channel: LiveChannel, source: LiveSource, principal: Principal): void {
  const publisher = new LivePublisher({
    ...source,
    mayUse: (right) => mayDo(principal.role, right),
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
