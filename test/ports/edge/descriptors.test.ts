import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { edgePlatform, type EdgeClient } from '../../../src/adapters/platforms/edge/index.ts'
import { systemClock } from '../../../src/adapters/system/index.ts'
import { edgeClient, stopEdge } from '../../../src/hosts/edge/index.ts'
import { readPointer } from '../../../src/hosts/edge/pointer.ts'
import { until } from '../../support/until.ts'
import { releaseOf, TestService } from '../platform.ts'

const entry = join(import.meta.dirname, '../../../src/hosts/edge/main.ts')
const clock = systemClock()

/** What a process has open, as far as it is there. */
const openFiles = (pid: number): string[] =>
  readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${name}`)]
    } catch {
      return []
    }
  })

describe.runIf(process.platform === 'linux')('an edge whose starter has files open', () => {
  let directory: string
  let client: EdgeClient
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'pilothouse-edge-'))
    client = edgeClient(directory, 100_000)
  })
  afterEach(async () => {
    await stopEdge(client, { directory, clock, withInstances: true, withinMs: 60_000 })
    await client[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true, force: true, maxRetries: 20 })
  })

  it.each([9, 200])('keeps none of them from being closed, and nothing that it starts: %i', async (at) => {
    const lockPath = join(directory, 'deploy.lock')
    const lock = openSync(lockPath, 'w')
    const stdio = Array.from({ length: at + 1 }, (_, i) => (i === at ? lock : ('ignore' as const)))
    spawn(process.execPath, [entry, '--directory', directory], {
      detached: true,
      stdio,
      env: { ...process.env, PILOTHOUSE_EDGE_GUARD: '1' },
    }).unref()
    closeSync(lock)
    await until('it to serve', async () => ((await client.call('status', {})).ok ? true : undefined))
    const shop = await TestService.declare({
      ...edgePlatform(client),
      killAndRestart: async () => undefined,
      [Symbol.asyncDispose]: async () => undefined,
    })
    await shop.run(releaseOf('r1'))
    const instance = (await shop.instances())[0]?.pid ?? 0
    const { pid: edge, guard } = await until('it to have a guard', () => {
      const pointer = readPointer(directory)
      return pointer?.guard && existsSync(`/proc/${pointer.guard.pid}/fd`) ? pointer : undefined
    })
    const holders = Object.entries({ edge, guard: guard?.pid ?? 0, instance }).filter(([, pid]) =>
      openFiles(pid).includes(lockPath),
    )
    // Node marks the first 16 as not to be passed on, so that they cannot be told from its own.
    expect(holders.map(([name]) => name)).toEqual(at < 16 ? ['edge'] : [])
  })
})
