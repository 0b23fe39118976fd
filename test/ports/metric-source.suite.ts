import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import { createServer, connect, type AddressInfo, type Socket } from 'node:net'
import os from 'node:os'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sleep, type Clock, type Result } from '../../src/base/index.ts'
import { systemClock } from '../../src/adapters/system/index.ts'
import { seriesNames, seriesSchema } from '../../src/contract/index.ts'
import type { InspectableSource, Reading } from '../../src/engine/telemetry/index.ts'

const megabyte = 1024 * 1024
const isLinux = process.platform === 'linux'

export function valueOf<T>(result: Result<T>): T {
  if (!result.ok) throw result.error
  return result.value
}

/** A source that is read once a second, with its values by name and labels. */
export class Watched {
  readonly source: InspectableSource
  readonly clock: Clock = systemClock()
  #last: Reading | undefined

  constructor(make: (clock: Clock) => InspectableSource) {
    this.source = make(this.clock)
  }

  async read(): Promise<Reading> {
    this.#last = valueOf(await this.source.read())
    return this.#last
  }

  /** The value in this reading; undefined where there is no such series, NaN where it is not known. */
  value(
    reading: Reading,
    name: keyof typeof seriesNames,
    labels: Record<string, string> = {},
  ): number | undefined {
    const slot = this.source
      .catalog()
      .series.findIndex(
        (series) =>
          series.name === name &&
          Object.entries(labels).every(([label, text]) => series.labels[label] === text),
      )
    return slot < 0 ? undefined : reading.values[slot]
  }

  /**
   * Reads once a second from the last reading on until `isThere`, however long that takes; the time limit is
   * the test's.
   */
  async until<T>(
    isThere: (reading: Reading, previous: Reading) => T | undefined | false | Promise<T | undefined | false>,
  ): Promise<T> {
    let previous = this.#last ?? (await this.read())
    for (;;) {
      await sleep(this.clock, 1000)
      const reading = await this.read()
      const found = await isThere(reading, previous)
      if (found !== undefined && found !== false) return found
      previous = reading
    }
  }

  /** What a rate amounts to over readings until it reaches `amount`. */
  async untilAmounts(
    name: keyof typeof seriesNames,
    labels: Record<string, string>,
    amount: number,
  ): Promise<number> {
    let sum = 0
    return this.until((reading, previous) => {
      const rate = this.value(reading, name, labels)
      if (rate !== undefined && rate > 0) sum += (rate * (reading.monotonicMs - previous.monotonicMs)) / 1000
      return sum >= amount && sum
    })
  }
}

/** A child that burns CPU until it is stopped. */
function startBusyChild(): ChildProcess & { pid: number } {
  const child = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' })
  if (child.pid === undefined) throw new Error('the busy child did not start')
  return child as ChildProcess & { pid: number }
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

/** CPU seconds a process has used, from its own line and not through the code under test. */
async function cpuSeconds(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(' ')
  return (Number(fields[13]) + Number(fields[14])) / 100
}

/** What every source of a real machine's metrics promises. */
export function metricSourceSuite(name: string, make: (clock: Clock) => InspectableSource): void {
  describe(name, () => {
    let watched: Watched
    beforeEach(() => (watched = new Watched(make)))
    afterEach(() => watched.source[Symbol.asyncDispose]())

    it('names every value once, in the words of the contract', async () => {
      await watched.until((reading) => watched.value(reading, 'filesystem.size') !== undefined)
      const reading = await watched.read()
      const { series, version } = watched.source.catalog()
      expect(reading.catalogVersion).toBe(version)
      expect(reading.values.length).toBe(series.length)
      expect(new Set(series.map(({ name, labels }) => JSON.stringify([name, labels]))).size).toBe(
        series.length,
      )
      for (const [id, key] of series.entries()) {
        expect(seriesSchema.parse({ ...key, id })).toMatchObject({ unit: seriesNames[key.name as 'uptime'] })
      }
    })

    it('has no rate at the first reading and shares within 0 and 1 later', async () => {
      expect(watched.value(await watched.read(), 'cpu.busy')).toBeNaN()
      const reading = await watched.until((later) => later)
      const { series } = watched.source.catalog()
      series.forEach(({ unit }, slot) => {
        const value = reading.values[slot]!
        expect(Number.isNaN(value) || value >= 0, `${JSON.stringify(series[slot])} is ${value}`).toBe(true)
        if (unit === 'ratio' && !Number.isNaN(value)) expect(value).toBeLessThanOrEqual(1)
      })
      // Ticks of 10 ms see no work in most seconds of a machine that is idle.
      await watched.until((later) => (watched.value(later, 'cpu.busy') ?? 0) > 0)
    })

    it('sees a busy program, in the CPU of the machine and by its pid among the processes', async () => {
      const child = startBusyChild()
      try {
        await watched.read()
        await watched.source.inspector.topProcesses('cpu', 1)
        const [secondsBefore, startedMs] = [
          await cpuSecondsWhereKnown(child.pid),
          watched.clock.monotonicMs(),
        ]
        const reading = await watched.until((later) => later)
        const top = valueOf(await watched.source.inspector.topProcesses('cpu', 20))
        const passed = (watched.clock.monotonicMs() - startedMs) / 1000
        const row = top.find((process) => process.pid === child.pid)
        expect(row).toBeDefined()
        expect(row!.cpuRatio).toBeGreaterThan(0.05)
        expect(row!.command).toContain('for (;;);')
        expect(row!.parentPid).toBe(process.pid)
        if (!isLinux) return
        const share = ((await cpuSecondsWhereKnown(child.pid)) - secondsBefore) / passed
        expect(Math.abs(row!.cpuRatio - share)).toBeLessThan(0.35)
        // All cores together were at least as busy as this one program kept them.
        expect(watched.value(reading, 'cpu.busy')).toBeGreaterThan((share * 0.6) / os.cpus().length)
      } finally {
        await stop(child)
      }
    })

    it('orders processes by memory when asked to', async () => {
      const processes = valueOf(await watched.source.inspector.topProcesses('memory', 10))
      expect(processes.length).toBeGreaterThan(1)
      const memory = processes.map(({ memoryBytes }) => memoryBytes)
      expect(memory).toEqual(memory.toSorted((a, b) => b - a))
    })

    it('tells who, what and since when of one process', async () => {
      const own = valueOf(await watched.source.inspector.process(process.pid))
      expect(own.pid).toBe(process.pid)
      expect(own.parentPid).toBe(process.ppid)
      expect(own.user).toBe(os.userInfo().username)
      expect(own.command).toMatch(/node|vitest/)
      expect(Math.abs(own.startedAtMs - (Date.now() - process.uptime() * 1000))).toBeLessThan(5000)
      expect(own.memoryBytes).toBeGreaterThan(process.memoryUsage.rss() / 2)
      expect(own.memoryBytes).toBeLessThan(process.memoryUsage.rss() * 2)
    })

    it('says that a process is not there', async () => {
      const ended = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' })
      await once(ended, 'exit')
      const answer = await watched.source.inspector.process(ended.pid!)
      expect(answer.ok ? 'found' : answer.error.code).toBe('NOT_FOUND')
    })

    it('sees what is written to a disk, and that its filesystem is fuller then', async (context) => {
      if (isLinux && !/\S/.test(await readFile('/proc/diskstats', 'utf8')))
        context.skip('no disk is seen here')
      const folder = mkdtempSync(join(tmpdir(), 'written-'))
      try {
        const mount = await mountOf(folder)
        const before = await watched.until(
          (reading) => watched.value(reading, 'filesystem.used', { mount }) ?? false,
        )
        await watched
          .until((reading) => {
            const rate = watched.value(reading, 'disk.written')
            return rate !== undefined && !Number.isNaN(rate)
          })
          .catch(() => context.skip('no disk is seen here'))
        const file = await open(join(folder, 'data'), 'w')
        const chunk = randomBytes(megabyte)
        for (let i = 0; i < 128; i++) await file.write(chunk)
        await file.sync()
        await file.close()
        expect(await watched.untilAmounts('disk.written', {}, 100 * megabyte)).toBeGreaterThan(100 * megabyte)
        // Others write and delete here too; half of it must be left over.
        await watched.until(
          (reading) => watched.value(reading, 'filesystem.used', { mount })! > before + 64 * megabyte,
        )
      } finally {
        rmSync(folder, { recursive: true })
      }
    })

    it('sees traffic on the loopback interface', async () => {
      const loopback = Object.entries(os.networkInterfaces()).find(
        ([, addresses]) => addresses?.[0]?.internal,
      )![0]
      await watched.until((reading) => {
        const rate = watched.value(reading, 'network.received', { interface: loopback })
        return rate !== undefined && !Number.isNaN(rate)
      })
      await sendOverLoopback(40 * megabyte)
      const seen = await watched.untilAmounts('network.received', { interface: loopback }, 36 * megabyte)
      expect(seen).toBeLessThan(400 * megabyte)
    })

    it('counts the connections by state', async () => {
      const server = createServer()
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      const accepted: Socket[] = []
      server.on('connection', (socket) => accepted.push(socket))
      const sockets = Array.from({ length: 30 }, () => connect(port, '127.0.0.1'))
      await Promise.all(sockets.map((socket) => once(socket, 'connect')))
      const counts = valueOf(await watched.source.inspector.connectionCounts())
      for (const socket of [...sockets, ...accepted]) socket.destroy()
      server.close()
      expect(counts.established).toBeGreaterThanOrEqual(60)
      expect(counts.listen).toBeGreaterThanOrEqual(1)
    })

    it('agrees with what the system itself says', async () => {
      const reading = await watched.until(
        (later) =>
          watched.value(later, 'memory.used') !== undefined &&
          watched.value(later, 'processes.count') !== undefined &&
          watched.value(later, 'filesystem.size') !== undefined &&
          later,
      )
      const near = (value: number | undefined, other: number, share: number) =>
        expect(Math.abs(value! - other) / other, `${value} beside ${other}`).toBeLessThan(share)
      near(watched.value(reading, 'memory.total'), os.totalmem(), 0.001)
      near(watched.value(reading, 'uptime'), os.uptime(), 0.01)
      const facts = await watched.source.facts()
      expect(facts).toMatchObject({
        hostname: os.hostname(),
        coreCount: os.cpus().length,
        memoryBytes: os.totalmem(),
        kernel: os.release(),
      })
      near(facts.bootedAtMs, Date.now() - os.uptime() * 1000, 0.0001)
      if (!isLinux) return
      const free = execFileSync('free', ['-b'], { encoding: 'utf8' })
      const [, total, , , , , available] = /^Mem:.*$/m.exec(free)![0].split(/\s+/).map(Number)
      near(watched.value(reading, 'memory.available'), available!, 0.05)
      near(watched.value(reading, 'memory.total'), total!, 0.001)
      const df = execFileSync('df', ['-B1', '--output=size,used,avail,itotal', '/'], { encoding: 'utf8' })
      const [size, used, avail, inodes] = df.split('\n')[1]!.trim().split(/\s+/).map(Number)
      near(watched.value(reading, 'filesystem.size', { mount: '/' }), size!, 0.001)
      near(watched.value(reading, 'filesystem.used', { mount: '/' }), used!, 0.05)
      near(watched.value(reading, 'filesystem.available', { mount: '/' }), avail!, 0.05)
      near(watched.value(reading, 'filesystem.inodes_total', { mount: '/' }), inodes!, 0.001)
      const processCount = execFileSync('ps', ['-e', '-o', 'pid='], { encoding: 'utf8' })
        .trim()
        .split('\n').length
      near(watched.value(reading, 'processes.count'), processCount, 0.3)
    })

    it('lets go of everything it held open', async (context) => {
      if (!isLinux) return context.skip('descriptors are counted through /proc')
      const own = new Watched(make)
      await own.until((reading) => own.value(reading, 'filesystem.size') !== undefined)
      await own.source.inspector.topProcesses('cpu', 1)
      await own.source[Symbol.asyncDispose]()
      await own.source[Symbol.asyncDispose]()
      await watched.source[Symbol.asyncDispose]()
      expect(openSystemFiles()).toEqual([])
      const answer = await own.source.read()
      expect(answer.ok ? 'read' : answer.error.code).toBe('UNAVAILABLE')
    })
  })
}

/** Files of /proc and /sys that this process holds open. */
function openSystemFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`)
      // The listing itself holds one open.
      return /^\/(proc|sys)\//.test(target) && !target.endsWith('/fd') ? [target] : []
    } catch {
      return []
    }
  })
}

const cpuSecondsWhereKnown = (pid: number): Promise<number> =>
  isLinux ? cpuSeconds(pid) : Promise.resolve(NaN)

/** The mount point a folder is on: the highest folder above it on the same device. */
async function mountOf(folder: string): Promise<string> {
  const { dev } = await stat(folder)
  let mount = folder
  while (dirname(mount) !== mount && (await stat(dirname(mount))).dev === dev) mount = dirname(mount)
  return mount
}

async function sendOverLoopback(byteCount: number): Promise<void> {
  const server = createServer((socket) => socket.resume())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const chunk = Buffer.alloc(megabyte)
  for (let sent = 0; sent < byteCount; sent += chunk.length) {
    if (!socket.write(chunk)) await once(socket, 'drain')
  }
  socket.end()
  await once(socket, 'close')
  server.close()
}
