import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sleep } from '../../../src/base/index.ts'
import { systemClock } from '../../../src/adapters/system/index.ts'
import { until } from '../../support/until.ts'
import { releaseOf, serviceName, TestService, valueOf } from '../platform.ts'
import { EdgeProcess } from './edge-process.ts'

/** Longer than several probes, looks at memory and looks at an adopted process. */
const shortageMs = 5000

describe.runIf(process.platform === 'linux')('an edge without a free descriptor', () => {
  let edge: EdgeProcess
  let shop: TestService
  const sockets: Socket[] = []
  beforeEach(async () => {
    edge = await EdgeProcess.start()
    shop = await TestService.declare(
      {
        target: edge.target,
        router: edge.router,
        killAndRestart: () => edge.end('SIGKILL'),
        [Symbol.asyncDispose]: async () => undefined,
      },
      { drainMs: 0 },
    )
    await shop.run(releaseOf('r1'))
    valueOf(await shop.weigh({ r1: 100 }))
  })
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    await edge[Symbol.asyncDispose]()
  })

  const ask = async () => (await fetch(shop.address)).text()
  const instance = async () => {
    const [only] = await shop.instances()
    if (!only) throw new Error('no instance')
    return only
  }
  const failures = async () => {
    const { bins } = valueOf(await edge.router.bins(serviceName, null))
    return bins.map(({ healthFailures, crashes }) => healthFailures + crashes).filter((count) => count > 0)
  }

  /** Runs `during` while the edge can open nothing, whatever is closed meanwhile: no number is free below this one. */
  async function short(during: () => Promise<void>): Promise<void> {
    const { pid } = valueOf(await edge.client.call('status', {}))
    const limits = readFileSync(`/proc/${pid}/limits`, 'utf8')
    const before = /^Max open files\s+(\S+)/m.exec(limits)?.[1] ?? ''
    const set = (count: string) => execFileSync('prlimit', ['--pid', String(pid), `--nofile=${count}:`])
    set('3')
    try {
      await during()
    } finally {
      set(before)
    }
  }

  it('serves over the connections that are open, and holds its lack against no instance', async () => {
    const { hostname, port } = new URL(shop.address)
    const open = () => {
      const socket = connect(Number(port), hostname)
      socket.on('error', () => undefined)
      sockets.push(socket)
      return socket
    }
    const socket = open()
    const response = async (path: string) => {
      const ended = once(socket, 'close').then(() => Promise.reject(new Error('closed without an answer')))
      socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`)
      return String((await Promise.race([once(socket, 'data'), ended]))[0])
    }
    await response('/')
    await short(async () => {
      for (let i = 0; i < 32; i++) open()
      expect(await response(`/?wait=${shortageMs}`)).toMatch(/^HTTP\/1\.1 200 /)
    })
    expect(await instance()).toMatchObject({ state: 'healthy', restartCount: 0 })
    expect(await failures()).toEqual([])
    expect(await ask()).toBe('r1')
    expect(readFileSync(join(edge.directory, 'log', 'pilothouse.log'), 'utf8')).not.toContain('edge.json')
  })

  it('takes an instance of the edge before it for no dead one', async () => {
    const { pid } = await instance()
    await edge.end('SIGKILL')
    await edge.start()
    await shop.healthy('r1')
    await short(() => sleep(systemClock(), shortageMs))
    expect(await instance()).toMatchObject({ state: 'healthy', restartCount: 0, pid })
    expect(await failures()).toEqual([])
    expect(await ask()).toBe('r1')
  })

  it('starts what died meanwhile as soon as it can, and counts one crash for it', async () => {
    const { pid } = await instance()
    await short(async () => {
      process.kill(Number(pid), 'SIGKILL')
      await sleep(systemClock(), shortageMs)
    })
    await until('the instance to serve again', async () =>
      (await instance()).state === 'healthy' ? true : undefined,
    )
    expect(await failures()).toEqual([1])
    expect(await ask()).toBe('r1')
  })
})
