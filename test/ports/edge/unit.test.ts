import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { edgeClient, edgeUnit, ownProgram, stopEdge, unitName } from '../../../src/hosts/edge/index.ts'
import { systemClock } from '../../../src/adapters/system/index.ts'
import { until } from '../../support/until.ts'
import { startNode } from '../cli/process.ts'
import { valueOf } from '../platform.ts'

const entry = join(import.meta.dirname, '../../../src/hosts/edge/main.ts')

describe.runIf(process.platform === 'linux')('an edge under a service manager', () => {
  let base: string
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'ph-'))
  })
  afterEach(() => rmSync(base, { recursive: true, force: true, maxRetries: 20 }))

  it.runIf(spawnSync('systemd-analyze', ['--version']).status === 0)(
    'has a unit that systemd accepts, whatever its directory is called',
    () => {
      for (const name of ['plain', 'with space', '50% "of" $HOME\\n']) {
        const directory = join(base, name)
        mkdirSync(directory)
        for (const isSystem of [true, false]) {
          const file = join(directory, unitName(directory))
          writeFileSync(file, edgeUnit({ directory, ...ownProgram(), isSystem }))
          const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], {
            encoding: 'utf8',
          })
          expect({
            status,
            text: stderr.split('\n').filter((line) => line.includes(unitName(directory))),
          }).toEqual({
            status: 0,
            text: [],
          })
        }
      }
    },
  )

  it('waits while another edge runs, takes its place when it crashes, and ends when that is stopped', async () => {
    const directory = join(base, 'edge')
    const first = startNode(entry, ['--directory', directory, '--standby'], base)
    await first.until('stdout', /edge serves at/)
    const second = startNode(entry, ['--directory', directory, '--standby'], base)
    const third = startNode(entry, ['--directory', directory, '--standby'], base)
    await using client = edgeClient(directory)
    expect(valueOf(await client.call('status', {})).pid).toBe(first.pid)
    third.signal('SIGKILL')
    await third.ended
    first.signal('SIGKILL')
    await second.until('stdout', /edge serves at/)
    expect(valueOf(await client.call('status', {})).pid).toBe(second.pid)
    valueOf(
      await stopEdge(client, { directory, clock: systemClock(), withInstances: true, withinMs: 60_000 }),
    )
    expect((await second.ended).code).toBe(64)
    await until('nobody', async () => ((await client.call('status', {})).ok ? undefined : true))
  })
})
