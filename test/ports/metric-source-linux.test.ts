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
      await watched.source.inspector.topProcesses('cpu', 50)
      await watched.source.inspector.process(process.pid)
      await watched.source.inspector.connectionCounts()
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
      expect(row).toMatchObject({ parentPid: process.pid, name: 'a) R 1·(b', state: 'sleeping' })
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
    // It leaves lo out unless told otherwise.
    await using exporter = await startExporter(nodeExporter.path, [
      '--collector.netdev.device-exclude=^none$',
    ])
    const watched = make()
    const before = await exporter.scrape()
    const first = await watched.read()
    const inner = await exporter.scrape()
    let [busySeconds, lo, switches] = [0, 0, 0]
    let count = 0
    let innerEnd = inner
    const last = await watched.until(async (reading, previous) => {
      const seconds = (reading.monotonicMs - previous.monotonicMs) / 1000
      busySeconds += watched.value(reading, 'cpu.busy')! * seconds * os.cpus().length
      lo += watched.value(reading, 'network.received', { interface: 'lo' })! * seconds
      switches += watched.value(reading, 'system.context_switches')! * seconds
      if (++count === 7) innerEnd = await exporter.scrape()
      return count === 8 && reading
    })
    const after = await exporter.scrape()
    // What grew while we watched is at least what grew between the scrapes within, at most between those around.
    const least = (metric: RegExp) => innerEnd.sum(metric) - inner.sum(metric)
    const most = (metric: RegExp) => after.sum(metric) - before.sum(metric)
    const [all, idle] = [/^node_cpu_seconds_total\{/, /^node_cpu_seconds_total\{.*mode="(idle|iowait)"/]
    // Ours is a share of the ticks that were counted; a machine that shares its cores counts fewer than the wall clock.
    const counted = most(all) / (os.cpus().length * ((last.monotonicMs - first.monotonicMs) / 1000))
    expect(busySeconds * Math.max(counted, 1)).toBeGreaterThanOrEqual(0.9 * (least(all) - least(idle)) - 0.1)
    expect(busySeconds * Math.min(counted, 1)).toBeLessThanOrEqual(1.1 * (most(all) - most(idle)) + 0.1)
    const switched = /^node_context_switches_total /
    expect(switches).toBeGreaterThanOrEqual(0.99 * least(switched))
    expect(switches).toBeLessThanOrEqual(1.01 * most(switched))
    const received = /^node_network_receive_bytes_total\{device="lo"/
    expect(lo).toBeGreaterThanOrEqual(0.99 * least(received))
    expect(lo).toBeLessThanOrEqual(1.01 * most(received))
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
