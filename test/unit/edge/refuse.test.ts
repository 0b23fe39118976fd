import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { refuse } from '../../../src/edge/proxy/refuse.ts'

it('refuses a request in place of an answer whose head could not be written', async () => {
  const server = createServer((request, response) => {
    expect(() => response.writeHead(404, 'nicht verf\ufffdgbar')).toThrow()
    refuse(request, response, { status: 502, text: 'The service broke off.' })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  expect([answer.status, answer.statusText, await answer.text()]).toEqual([
    502,
    'Bad Gateway',
    'The service broke off.\n',
  ])
  server.close()
})
