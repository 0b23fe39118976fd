// A service to test with: plain Node, so that it starts anywhere. `NAME` and `MODE` are its environment.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'

const name = process.env.PILOTHOUSE_RELEASE
const mode = process.env.MODE ?? ''
let isWell = mode !== 'never-healthy'
let isFlaky = false
let healthHost = ''
let isStale = false
/** @type {number[]} requests of `/stale` as they came, and those that were dropped with their connection */
const seen = []
/** @type {number[]} */
const dropped = []
const used = new WeakSet()
const kept = []
/** Connections of the proxy, by their ports; those of health checks are not counted. */
const clients = new Set()

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://backend')
  const waitMs = Number(url.searchParams.get('wait') ?? 0)
  if (url.pathname === '/health') {
    healthHost = request.headers.host ?? ''
    response.writeHead(isWell ? 200 : 500).end()
    return
  }
  clients.add(request.socket.remotePort)
  switch (url.pathname) {
    case '/pid':
      response.end(String(process.pid))
      return
    case '/clients':
      response.end(String(clients.size))
      return
    case '/sick':
      isWell = false
      response.end('sick\n')
      return
    case '/deaf':
      // It lives on and answers what has begun, but nobody reaches it any more.
      server.close()
      setInterval(() => undefined, 1000)
      response.setHeader('connection', 'close').end(`${process.pid}\n`)
      return
    case '/flaky':
      response.writeHead(isFlaky ? 500 : 200).end(name)
      return
    case '/make-stale':
      isStale = true
      used.add(request.socket)
      response.end()
      return
    case '/stale-log':
      response.end(JSON.stringify({ seen, dropped }))
      return
    case '/stale': {
      const id = Number(url.searchParams.get('id'))
      seen.push(id)
      // As if a connection that had been idle was closed while the request came; it happens to a request once.
      if (isStale && used.has(request.socket) && !dropped.includes(id)) {
        dropped.push(id)
        request.socket.destroy()
        return
      }
      used.add(request.socket)
      response.end(name)
      return
    }
    case '/make-flaky':
      isFlaky = true
      response.end(`${process.pid}\n`)
      return
    case '/crash':
      process.exit(3)
      return
    case '/grow':
      kept.push(Buffer.alloc(Number(url.searchParams.get('bytes')), 1))
      response.end(`${process.pid}\n`)
      return
    case '/echo':
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(
        JSON.stringify({ rawHeaders: request.rawHeaders, url: request.url, method: request.method }),
      )
      return
    case '/body': {
      let size = 0
      const hash = createHash('sha256')
      request.on('data', (chunk) => {
        size += chunk.length
        hash.update(chunk)
      })
      request.on('end', () => response.end(JSON.stringify({ size, sha256: hash.digest('hex') })))
      return
    }
    case '/stream':
      // Pieces go back as they come: neither side is whole before the other has begun.
      response.writeHead(200)
      request.on('data', (chunk) => response.write(chunk))
      request.on('end', () => response.end())
      return
    case '/detach': {
      // A process in a session of its own, as a daemon makes itself.
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
        detached: true,
        stdio: 'ignore',
      })
      child.unref()
      response.end(`${child.pid}\n`)
      return
    }
    case '/trailers':
      response.writeHead(200, { trailer: 'X-Sum' })
      response.write(String(request.headers.te))
      response.addTrailers({ 'X-Sum': '42', 'Content-Type': 'text/html' })
      response.end()
      return
    case '/reason':
      response.writeHead(404, 'Nicht verf\xfcgbar').end()
      return
    case '/refuse-upload':
      // Closes with the body unread, so that who still writes gets a reset.
      request.socket.end(
        'HTTP/1.1 413 Payload Too Large\r\ncontent-length: 4\r\nconnection: close\r\n\r\nbig\n',
        () => request.socket.destroy(),
      )
      return
    case '/bytes':
      request.socket.end(
        Buffer.from(
          `HTTP/1.1 200 OK\r\n${url.searchParams.has('stream') ? 'Transfer-Encoding: chunked' : 'Content-Length: 2'}\r\n` +
            'Content-Disposition: attachment; filename="отчёт.pdf"\r\nX-Twice: a\r\nX-Other: 1\r\nx-twice: b\r\n' +
            `Location: /страница\r\n\r\n${url.searchParams.has('stream') ? '2\r\nok\r\n0\r\n\r\n' : 'ok'}`,
        ),
      )
      return
    case '/continue': {
      // Nobody asked for it; the last piece of it comes with the response.
      const interim = 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 10'
      request.socket.write(interim)
      setTimeout(
        () =>
          request.socket.write(
            `0 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: ${String(name).length}\r\n\r\n${name}`,
          ),
        20,
      )
      return
    }
    case '/then-reset':
      response.end(name, () => setImmediate(() => request.socket.resetAndDestroy()))
      return
    case '/quiet':
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: hello\n\n')
      return
    case '/head': {
      // So much of a body, as far as it goes at all: the rest never comes, or its connection breaks.
      const sent = 'x'.repeat(Number(url.searchParams.get('sent')))
      const length = url.searchParams.get('length')
      const type = url.searchParams.get('type') ?? 'text/plain'
      response.writeHead(Number(url.searchParams.get('status') ?? 200), {
        'content-type': type,
        ...(length === null ? {} : { 'content-length': length }),
      })
      response.flushHeaders()
      if (sent !== '') response.write(sent)
      if (url.searchParams.has('break')) setTimeout(() => request.socket.destroy(), 50)
      return
    }
    case '/large':
      response.end(Buffer.alloc(Number(url.searchParams.get('bytes')), 'x'))
      return
    case '/interim': {
      const again = setInterval(() => response.writeProcessing(), 50)
      request.socket.once('close', () => clearInterval(again))
      return
    }
    case '/host':
      response.end(healthHost)
      return
    case '/early':
      // Of the body it wants nothing.
      response.writeHead(401).end('who are you?\n')
      return
    case '/fail':
      response.writeHead(500).end('failed\n')
      return
    case '/cut':
      response.writeHead(200, { 'content-length': 100 })
      response.write('half', () => request.socket.destroy())
      return
    case '/say':
      console.log(url.searchParams.get('text'))
      console.error(`error ${url.searchParams.get('text')}`)
      response.end()
      return
    default:
      setTimeout(() => response.end(name), waitMs)
  }
})
server.on('upgrade', (request, socket) => {
  const accept = createHash('sha1')
    .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64')
  if (request.url === '/never') return
  if (request.url === '/no-cut' || request.url === '/no-stall') {
    socket.write('HTTP/1.1 403 Forbidden\r\ncontent-length: 100\r\n\r\nhalf', () => {
      if (request.url === '/no-cut') socket.destroy()
    })
    return
  }
  if (request.url === '/no') {
    socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno')
    return
  }
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
  )
  socket.on('error', () => socket.destroy())
  // One short text frame there, the same text back, unmasked.
  socket.on('data', (frame) => {
    if ((frame[0] & 0x0f) === 8) {
      socket.end()
      return
    }
    const length = frame[1] & 0x7f
    const mask = frame.subarray(2, 6)
    const text = Buffer.from(frame.subarray(6, 6 + length)).map((byte, i) => byte ^ mask[i % 4])
    socket.write(Buffer.concat([Buffer.from([0x81, text.length]), text]))
  })
})
if (mode === 'stubborn') process.on('SIGTERM', () => console.log('SIGTERM ignored'))
if (mode === 'crash-at-start') process.exit(7)
server.keepAliveTimeout = Number(process.env.KEEP_ALIVE_MS ?? 65_000)
setTimeout(
  () => server.listen(Number(process.env.PORT), process.env.HOST ?? '127.0.0.1'),
  Number(process.env.START_MS ?? 0),
)
