import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EdgeClient } from '../../../../src/adapters/platforms/edge/index.ts'

describe.skipIf(process.platform === 'win32')('a call whose connection the edge has closed', () => {
  let directory: string
  let server: Server
  /** So many calls find their connection closed. */
  let closedCount: number
  let calls: string[]

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ph-edge-client-'))
    calls = []
    server = createServer((request, response) => {
      calls.push(request.url?.split('/').at(-1) ?? '')
      request.resume()
      if (calls.length <= closedCount) request.socket.destroy()
      else request.on('end', () => response.writeHead(200).end(JSON.stringify({ bins: [], cursor: '1' })))
    })
    await new Promise<void>((resolve) => server.listen(join(directory, 's'), resolve))
  })
  afterEach(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await rm(directory, { recursive: true, force: true })
  })

  const askForBins = async () => {
    await using client = new EdgeClient({ socketPath: join(directory, 's') })
    return await client.call('bins', { service: 'shop', cursor: null })
  }

  it('is made once more on a new one', async () => {
    closedCount = 1
    expect(await askForBins()).toMatchObject({ ok: true })
    expect(calls).toEqual(['bins', 'bins'])
  })

  it('is not made a third time', async () => {
    closedCount = 9
    expect(await askForBins()).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE' } })
    expect(calls).toEqual(['bins', 'bins'])
  })

  it('is not made again where that would restart instances twice', async () => {
    closedCount = 1
    await using client = new EdgeClient({ socketPath: join(directory, 's') })
    const answer = await client.call('restart', { service: 'shop', by: 'anna' })
    expect(answer).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE' } })
    expect(calls).toEqual(['restart'])
  })
})
