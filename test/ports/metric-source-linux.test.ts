import { spawn, spawnSync } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import os from 'node:os'
import { describe, expect, it } from 'vitest'
import { LinuxProcSource } from '../../src/adapters/metrics/index.ts'
import { systemClock } from '../../src/adapters/system/index.ts'
import { startExporter } from '../support/node-exporter.ts'
import { peer } from '../support/peers.ts'
import { stop, valueOf, Watched } from './metric-source.suite.ts'

const nodeExporter = peer('node-exporter')
const make = () => new Watched((clock) => new LinuxProcSource({ clock, hostId: 'local' }))

describe.runIf(process.platform === 'linux')('the source of a Linux host', () => {
  it('gives at least 110 values of this machine within a few seconds', async () => {
    const watched = make()
    const count = await watched.until((reading) => {
      const measured = reading.values.filter((value) => !Number.isNaN(value)).length
      return measured >= 110 && measured
    })
    expect(count).toBeGreaterThanOrEqual(110)
    await watched.source[Symbol.asyncDispose]()
  })

  it('starts no program, whatever it is asked', async () => {
    const started: unknown[] = []
    const note = (message: unknown) => started.push(message)
    subscribe('child_process', note)
    try {
      const watched = make()
      await watched.until((reading) => watched.value(reading, 'filesystem.size') !== undefined)
      await watched.source.topProcesses('cpu', 50)
      await watched.source.process(process.pid)
      await watched.source.connectionCounts()
      await watched.source.facts()
      await watched.source[Symbol.asyncDispose]()
      expect(started).toEqual([])
      // The watch itself works: a program that is started does show.
      await stop(spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)'], { stdio: 'ignore' }))
      expect(started.length).toBe(1)
    } finally {
      unsubscribe('child_process', note)
    }
  })

  it('counts processes as they come and go, between its listings too', async () => {
    const watched = make()
    const counted = (is: (count: number) => boolean) =>
      watched.until((reading) => {
        const count = watched.value(reading, 'processes.count')
        return count !== undefined && is(count) && count
      })
    const before = await counted((count) => count > 0)
    const children = Array.from({ length: 200 }, () => spawn('sleep', ['600'], { stdio: 'ignore' }))
    try {
      // Others come and go as well, but not by the hundred.
      await counted((count) => count >= before + 150)
    } finally {
      await Promise.all(children.map((child) => stop(child)))
    }
    await counted((count) => count <= before + 50)
    await watched.source[Symbol.asyncDispose]()
  })

  it('reads the rows of a program that calls itself something hostile', async () => {
    const title = 'a) R 1\n(b'
    const child = spawn(
      process.execPath,
      ['-e', 'process.title = process.argv[1]; console.log(1); setInterval(() => 0, 1000)', title],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    )
    try {
      await once(child.stdout, 'data')
      const source = new LinuxProcSource({ clock: systemClock(), hostId: 'local' })
      const row = valueOf(await source.process(child.pid!))
      expect(row).toMatchObject({ parentPid: process.pid, name: 'a) R 1?(b', state: 'sleeping' })
      const ps = spawnSync('ps', ['-o', 'rss=,nlwp=', '-p', String(child.pid)], { encoding: 'utf8' })
      const [kilobytes, threads] = ps.stdout.trim().split(/\s+/).map(Number)
      expect(row.threadCount).toBe(threads)
      expect(Math.abs(row.memoryBytes / 1024 / kilobytes! - 1)).toBeLessThan(0.2)
      await source[Symbol.asyncDispose]()
    } finally {
      await stop(child)
    }
  })

  it.skipIf(nodeExporter.isMissing)('agrees with node_exporter over the same seconds', async () => {
    await using exporter = await startExporter(nodeExporter.path)
    const watched = make()
    await watched.read()
    const before = await exporter.scrape()
    let [busySeconds, lo, switches] = [0, 0, 0]
    let count = 0
    const last = await watched.until((reading, previous) => {
      const seconds = (reading.monotonicMs - previous.monotonicMs) / 1000
      busySeconds += watched.value(reading, 'cpu.busy')! * seconds * os.cpus().length
      lo += watched.value(reading, 'network.received', { interface: 'lo' })! * seconds
      switches += watched.value(reading, 'system.context_switches')! * seconds
      return ++count === 8 && reading
    })
    const after = await exporter.scrape()
    const grown = (metric: RegExp) => after.sum(metric) - before.sum(metric)
    const cpu = grown(/^node_cpu_seconds_total\{/) - grown(/^node_cpu_seconds_total\{.*mode="(idle|iowait)"/)
    expect(Math.abs(busySeconds - cpu) / cpu).toBeLessThan(0.2)
    const switched = grown(/^node_context_switches_total /)
    expect(Math.abs(switches - switched) / switched).toBeLessThan(0.2)
    // The scrapes themselves go over lo, one of them outside of our window; so may what others send then.
    const received = grown(/^node_network_receive_bytes_total\{device="lo"/)
    expect(lo).toBeLessThanOrEqual(1.3 * received + 200_000)
    for (const [name, metric] of [
      ['memory.total', /^node_memory_MemTotal_bytes /],
      ['files.limit', /^node_filefd_maximum /],
      ['swap.total', /^node_memory_SwapTotal_bytes /],
      ['memory.commit_limit', /^node_memory_CommitLimit_bytes /],
    ] as const) {
      expect(watched.value(last, name), name).toBe(after.sum(metric))
    }
    const size = after.sum(/^node_filesystem_size_bytes\{.*mountpoint="\/"/)
    expect(watched.value(last, 'filesystem.size', { mount: '/' })).toBe(size)
    await watched.source[Symbol.asyncDispose]()
  })
})
