import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/adapters/system/index.ts'
import { edgePlatform, type EdgeClient } from '../../../src/adapters/platforms/edge/index.ts'
import { endGuards } from '../../../src/hosts/edge/crash-loop.ts'
import { edgeClient, ensureEdge, ownProgram, stopEdge } from '../../../src/hosts/edge/index.ts'
import { until } from '../../support/until.ts'
import { releaseOf, TestService, valueOf } from '../platform.ts'

const clock = systemClock()

describe.runIf(process.platform === 'linux')('an edge that crashes again and again', () => {
  let directory: string
  let client: EdgeClient
  let shop: TestService
  /** Loaded by the edge before it runs. */
  let fault: string
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'pilothouse-edge-'))
    fault = join(directory, 'fault.mjs')
    writeFileSync(fault, '')
    const { command, args } = ownProgram()
    const program = { command, args: ['--import', fault, ...args] }
    await valueOf(await ensureEdge({ directory, clock, program }))[Symbol.asyncDispose]()
    client = edgeClient(directory, 100_000)
    shop = await TestService.declare({
      ...edgePlatform(client),
      killAndRestart: async () => undefined,
      [Symbol.asyncDispose]: async () => undefined,
    })
    await shop.run(releaseOf('r1'))
    valueOf(await shop.weigh({ r1: 100 }))
  })
  afterEach(async () => {
    await stopEdge(client, { directory, clock, withInstances: true, withinMs: 60_000 })
    await client[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true, force: true, maxRetries: 20 })
  })

  const readNow = (path: string): string => {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      return ''
    }
  }

  /** The environments of all that belongs to this edge: itself, its guards, its instances. */
  const environments = () =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
      .filter((pid) => {
        const isCalled = readNow(`/proc/${pid}/cmdline`).split('\0').includes(directory)
        return isCalled || readNow(`/proc/${pid}/environ`).includes(`PILOTHOUSE_EDGE=${directory}`)
      })
      .map((pid) => readNow(`/proc/${pid}/environ`))
      .filter((environment) => environment !== '')

  /** Kills the edge; each that follows does `what` as soon as it serves. */
  async function crash(what: string): Promise<void> {
    const { pid } = valueOf(await client.call('status', {}))
    writeFileSync(
      fault,
      `const { write } = process.stdout
      process.stdout.write = function (text, ...rest) {
        if (String(text).startsWith('edge serves')) ${what}
        return write.call(this, text, ...rest)
      }`,
    )
    process.kill(pid, 'SIGKILL')
  }

  it('goes on after the third time with what works, and says so', async () => {
    await crash(`setInterval(() => { throw new Error('one service is broken') }, 100)`)
    const trouble = await until('it to survive', async () => {
      const status = await client.call('status', {})
      return (status.ok && status.value.trouble) || undefined
    })
    expect(trouble).toContain('has crashed 2 times and now continues after a failure: one service is broken')
    expect(await (await fetch(shop.address)).text()).toBe('r1')
  })

  it('is stopped with all that would start it again, and with its instances', async () => {
    await crash(`process.kill(process.pid, 'SIGKILL')`)
    await until('it to have crashed twice', async () =>
      environments().some((text) => /"crashes":[2-9]/.test(text)) ? true : undefined,
    )
    valueOf(await stopEdge(client, { directory, clock, withInstances: true, withinMs: 60_000 }))
    expect(environments()).toEqual([])
  })

  it('is none where there has never been an edge', async () => {
    const nowhere = join(directory, 'nowhere')
    await using none = edgeClient(nowhere)
    const stopped = await stopEdge(none, { directory: nowhere, clock, withInstances: true, withinMs: 1000 })
    expect(stopped).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE' } })
  })
})

const otherUid = 65_534
const isOpen = () => spawnSync(process.execPath, ['-e', '0'], { uid: otherUid, cwd: '/' }).status === 0
/** Only root can be two users, where Node itself is open to others. */
const canTry = process.platform === 'linux' && process.getuid?.() === 0 && isOpen()

describe.runIf(canTry)('a process of another user with the arguments of a guard', () => {
  let directory: string
  const started: ChildProcess[] = []
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'pilothouse-edge-'))
  })
  afterEach(() => {
    for (const child of started.splice(0)) child.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  })

  const start = async (uid: number) => {
    const args = ['-c', 'sleep 600; :', 'pilothouse-edge-guard', '0', 'edge', '--directory', directory]
    const child = spawn('/bin/sh', args, { uid, gid: uid, cwd: '/', stdio: 'ignore' })
    started.push(child)
    await once(child, 'spawn')
    return child
  }

  it('is not ended by root, which ends its own and those of the owner of the directory', async () => {
    const other = await start(otherUid)
    const own = await start(0)
    const ended = once(own, 'exit')
    expect(await endGuards(directory)).toBe(1)
    await ended
    expect(other.signalCode).toBe(null)
    chownSync(directory, otherUid, otherUid)
    const othersEnded = once(other, 'exit')
    expect(await endGuards(directory)).toBe(1)
    await othersEnded
  })

  it('keeps nobody from stopping an edge', async () => {
    await start(0)
    const module = join(import.meta.dirname, '../../../src/hosts/edge/crash-loop.ts')
    const code = `console.log(await (await import(${JSON.stringify(module)})).endGuards(${JSON.stringify(directory)}))`
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
      uid: otherUid,
      gid: otherUid,
      cwd: '/',
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    expect(stdout).toBe('0\n')
  })
})
