import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'

/** What undici reports about a request before it writes the first byte. */
interface Sending {
  socket: Socket
  /** The header section without its last line, which gives the length of the body. */
  headers: string
  request: { body: unknown; contentLength: number | null }
}

type Write = (text: string, encoding?: BufferEncoding) => boolean

const early = new WeakSet<Socket>()

// Documented by undici: published for each request before its first byte is written.
subscribe('undici:client:sendHeaders', (message) => {
  const sending = message as Sending
  const { socket, request } = sending
  if (request.body === null || request.contentLength === 0 || !early.has(socket)) return
  const { bytesWritten } = socket
  // A body that is ready by then is sent with the header in one packet.
  setImmediate(() => {
    if (!socket.destroyed && socket.bytesWritten === bytesWritten) sendHead(sending)
  })
})

/**
 * Sends the header of an upload on `socket` although its body is late. The HTTP client holds the header back until the
 * first byte of the body. Until then the connection looks idle to the instance, which may close it and cannot refuse
 * the upload.
 */
export function sendHeadEarly(socket: Socket): void {
  early.add(socket)
}

/** Sends the header now, and removes it from what the HTTP client writes with the first byte of the body. */
function sendHead({ socket, headers, request: { contentLength } }: Sending): void {
  const write = socket.write.bind(socket) as Write
  const isChunked = contentLength === null
  const head =
    headers + (isChunked ? 'transfer-encoding: chunked\r\n' : `content-length: ${contentLength}\r\n\r\n`)
  const replaceNext = (replace: (text: string) => string | null) => {
    socket.write = ((text: string, encoding?: BufferEncoding) => {
      Reflect.deleteProperty(socket, 'write')
      const replaced = replace(text)
      if (replaced !== null) return replaced === '' || write(replaced, encoding)
      // The instance would get two headers: it must not read anything from that.
      socket.destroy(new Error('The HTTP client wrote an unexpected header.'))
      return false
    }) as Socket['write']
  }
  write(isChunked ? `${head}\r\n` : head, 'latin1')
  replaceNext((text) => {
    if (text === head) {
      // The client writes each chunk size with the preceding line end; that of the first chunk is already sent.
      if (isChunked) replaceNext((size) => (/^\r\n[\da-f]+\r\n$/.test(size) ? size.slice(2) : null))
      return ''
    }
    const hasNoBody = text === `${headers}content-length: 0\r\n\r\n` || text === `${headers}\r\n`
    return isChunked && hasNoBody ? '0\r\n\r\n' : null
  })
}
