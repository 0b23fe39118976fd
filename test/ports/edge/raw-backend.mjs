// A service that answers with the bytes of the header it got, as no HTTP parser has touched them.
import { createServer } from 'node:net'

createServer((socket) => {
  let got = Buffer.alloc(0)
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk) => {
    got = Buffer.concat([got, chunk])
    const end = got.indexOf('\r\n\r\n')
    if (end < 0) return
    const head = got.subarray(0, end + 4)
    // As many bytes of response header as the path asks for, in as many fields.
    const [, bytes = 0, fields = 1] = /^GET \/padded\/(\d+)\/?(\d+)?/.exec(head.toString('latin1')) ?? []
    const padding = Number(bytes)
    const field = `X-Padding: ${'x'.repeat(padding / Number(fields))}\r\n`
    const padded = padding > 0 ? field.repeat(Number(fields)) : ''
    socket.write(`HTTP/1.1 200 OK\r\n${padded}Content-Length: ${head.length}\r\n\r\n`)
    socket.write(head)
    got = got.subarray(end + 4)
  })
}).listen(Number(process.env.PORT), '127.0.0.1')
