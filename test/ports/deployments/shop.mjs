// One service to ship: plain Node. ERRORS is the share of requests it fails.
import { createServer } from 'node:http'

const errors = Number(process.env.ERRORS ?? 0)
const name = process.env.PILOTHOUSE_RELEASE
let count = 0

createServer((request, response) => {
  if (request.url === '/health') {
    response.end('ok')
    return
  }
  count += 1
  // Spread evenly, so that a short test sees the share.
  const isFailing = Math.floor(count * errors) > Math.floor((count - 1) * errors)
  response.writeHead(isFailing ? 500 : 200).end(name)
}).listen(Number(process.env.PORT), '127.0.0.1')
