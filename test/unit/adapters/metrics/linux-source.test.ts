import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Result } from '../../../../src/base/index.ts'
import { LinuxProcSource } from '../../../../src/adapters/metrics/index.ts'
import { VirtualClock } from '../../../support/clock.ts'
import { nameOf, type Named } from './section-rounds.ts'

let root: string
let clock: VirtualClock
let source: LinuxProcSource

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'proc-'))
  clock = new VirtualClock()
  source = new LinuxProcSource({ clock, hostId: 'recorded', procRoot: root, sysRoot: join(root, 'sys') })
})
afterEach(async () => {
  await source[Symbol.asyncDispose]()
  rmSync(root, { recursive: true })
})

/** Writes in place, as the kernel does behind an open file. */
function put(files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
}

async function readAfter(ms: number) {
  await clock.advance(ms)
  const result = await source.read()
  if (!result.ok) throw result.error
  const { series } = source.catalog()
  const values: Named = {}
  result.value.values.forEach((value, slot) => (values[nameOf(series[slot]!)] = value))
  const resets = result.value.counterResets.map((slot) => nameOf(series[slot]!))
  return { ...result.value, named: values, resets }
}

const stat = (ctxt: number) => `cpu  ${ctxt} 0 0 ${ctxt} 0 0 0 0 0 0\nctxt ${ctxt}\n`
const vmstat = (faults: number) => `pgfault ${faults}\n`
const device = (name: string, bytes: number) => `${name}: ${bytes} 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n`

describe('a Linux host', () => {
  it('gives what a container has and is silent about what it has not', async () => {
    put({ stat: stat(100), loadavg: '1.00 0.50 0.25 2/30 7\n' })
    const { named } = await readAfter(0)
    expect(named['load.1m']).toBe(1)
    expect(Object.keys(named).some((name) => name.startsWith('pressure') || name.startsWith('disk'))).toBe(
      false,
    )
  })

  it('fails with a sentence where there is nothing at all', async () => {
    const result = await source.read()
    expect(result.ok ? 'ok' : result.error.code).toBe('UNAVAILABLE')
  })

  it('stamps a reading with both times and the catalogue it belongs to', async () => {
    put({ stat: stat(100) })
    await clock.advance(5000)
    const reading = await readAfter(0)
    expect(reading.atMs).toBe(clock.nowMs())
    expect(reading.monotonicMs).toBe(5000)
    expect(reading.catalogVersion).toBe(source.catalog().version)
    expect(reading.values.length).toBe(source.catalog().series.length)
  })

  it('hands out values that a later reading does not change', async () => {
    put({ loadavg: '1 1 1 1/1 1\n' })
    const first = await readAfter(0)
    put({ loadavg: '9 9 9 9/9 9\n' })
    await readAfter(1000)
    expect(first.values[0]).toBe(1)
  })

  it('measures rates over the monotonic interval, whatever wall time does', async () => {
    put({ stat: stat(1000) })
    await readAfter(0)
    put({ stat: stat(3000) })
    clock.jumpWall(3_600_000)
    expect((await readAfter(2000)).named['system.context_switches']).toBe(1000)
  })

  it('gives no rate over a pause that is too long to be put anywhere, and goes on after it', async () => {
    put({ stat: stat(1000) })
    await readAfter(0)
    put({ stat: stat(90_000) })
    const afterPause = await readAfter(120_000)
    expect(afterPause.named['system.context_switches']).toBeNaN()
    expect(afterPause.named['cpu.busy']).toBeNaN()
    expect(afterPause.resets).toEqual([])
    put({ stat: stat(90_500) })
    expect((await readAfter(1000)).named['system.context_switches']).toBe(500)
  })

  it('repeats its values when asked again within a few milliseconds', async () => {
    put({ stat: stat(1000) })
    await readAfter(0)
    put({ stat: stat(1500) })
    await readAfter(1000)
    put({ stat: stat(1501) })
    expect((await readAfter(3)).named['system.context_switches']).toBe(500)
    put({ stat: stat(2000) })
    expect((await readAfter(997)).named['system.context_switches']).toBe(500)
  })

  it('names a counter that went back, once', async () => {
    put({ stat: stat(1000) })
    await readAfter(0)
    put({ stat: stat(10) })
    const reset = await readAfter(1000)
    expect(reset.resets).toContain('system.context_switches')
    expect(reset.named['system.context_switches']).toBeNaN()
    put({ stat: stat(60) })
    const after = await readAfter(1000)
    expect(after.resets).toEqual([])
    expect(after.named['system.context_switches']).toBe(50)
  })

  it('reads slow files at their cadence and repeats what they said in between', async () => {
    put({ stat: stat(1), vmstat: vmstat(0) })
    await readAfter(0)
    put({ vmstat: vmstat(100) })
    expect((await readAfter(1000)).named['paging.faults']).toBe(100)
    put({ vmstat: vmstat(600) })
    for (let second = 0; second < 9; second++) {
      expect((await readAfter(1000)).named['paging.faults']).toBe(100)
    }
    expect((await readAfter(1000)).named['paging.faults']).toBe(50)
  })

  it('grows its catalogue when an interface comes, and keeps the slots of one that is gone', async () => {
    put({ 'net/dev': device('eth0', 0) })
    const before = await readAfter(0)
    put({ 'net/dev': device('eth0', 0) + device('eth1', 0) })
    const during = await readAfter(1000)
    expect(during.catalogVersion).toBeGreaterThan(before.catalogVersion)
    put({ 'net/dev': device('eth1', 700) })
    const after = await readAfter(1000)
    expect(after.catalogVersion).toBe(during.catalogVersion)
    expect(after.named['network.received{eth0}']).toBeNaN()
    expect(after.named['network.received{eth1}']).toBe(700)
  })

  it('counts the ZFS cache above its minimum as available, as it is given back when asked', async () => {
    put({
      meminfo: 'MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 200 kB\n',
      'spl/kstat/zfs/arcstats':
        '13 1 0x01 147 39984 8 9\nname type data\nhits 4 12\nc_min 4 102400\nsize 4 512000\n',
    })
    const { named } = await readAfter(0)
    expect(named['memory.available']).toBe(200 * 1024 + 512_000 - 102_400)
    expect(named['memory.used']).toBe(1000 * 1024 - 200 * 1024 - 409_600)
  })

  it('leaves out the ZFS cache of a machine of which it sees only a container', async () => {
    const arcstats = (size: number) => ({
      'spl/kstat/zfs/arcstats': `name type data\nc_min 4 102400\nsize 4 ${size}\n`,
    })
    const meminfo = 'MemTotal: 2000 kB\nMemFree: 400 kB\nMemAvailable: 500 kB\n'
    const told = { 'memory.total': 2000 * 1024, 'memory.available': 500 * 1024, 'memory.used': 1500 * 1024 }
    put({ meminfo, ...arcstats(6_000_000) })
    // More cache than this meminfo has memory in use.
    expect((await readAfter(0)).named).toMatchObject(told)

    put({
      ...arcstats(512_000),
      'self/mountinfo':
        '430 402 0:58 /proc/cpuinfo /proc/cpuinfo rw - fuse.lxcfs lxcfs rw\n' +
        '431 402 0:58 /proc/meminfo /proc/meminfo rw,nosuid,nodev,relatime - fuse.lxcfs lxcfs rw,user_id=0\n',
    })
    await source[Symbol.asyncDispose]()
    source = new LinuxProcSource({ clock, hostId: 'guest', procRoot: root, sysRoot: join(root, 'sys') })
    expect((await readAfter(0)).named).toMatchObject(told)
  })

  describe('in a cgroup with limits', () => {
    const open = () => {
      source = new LinuxProcSource({ clock, hostId: 'bounded', procRoot: root, sysRoot: join(root, 'sys') })
    }
    const machine = {
      meminfo: 'MemTotal: 16000000 kB\nMemFree: 1 kB\nMemAvailable: 8000000 kB\n',
      stat: 'cpu  0 0 0 1000 0 0 0 0 0 0\n',
    }

    it('tells memory and CPU of the group, not of the machine', async () => {
      put({
        ...machine,
        'self/cgroup': '0::/\n',
        'sys/fs/cgroup/memory.max': '536870912\n',
        'sys/fs/cgroup/memory.current': '400000000\n',
        'sys/fs/cgroup/memory.stat': 'anon 1\ninactive_file 100000000\n',
        'sys/fs/cgroup/cpu.max': '50000 100000\n',
        'sys/fs/cgroup/cpu.stat': 'usage_usec 1000000\nuser_usec 1\n',
      })
      open()
      await readAfter(0)
      put({
        stat: 'cpu  10 0 0 1190 0 0 0 0 0 0\n',
        'sys/fs/cgroup/cpu.stat': 'usage_usec 1400000\nuser_usec 1\n',
      })
      const { named } = await readAfter(1000)
      expect(named['memory.total']).toBe(536_870_912)
      expect(named['memory.used']).toBe(300_000_000)
      expect(named['memory.available']).toBe(236_870_912)
      expect(named['cpu.busy']).toBeCloseTo(0.8)
      expect(await source.facts()).toMatchObject({ coreCount: 1, memoryBytes: 536_870_912 })
    })

    it('obeys the tightest group of the path, and tells the machine where none limits', async () => {
      put({
        ...machine,
        'self/cgroup': '0::/system.slice/app.service\n',
        'sys/fs/cgroup/system.slice/memory.max': '1000000000\n',
        'sys/fs/cgroup/system.slice/memory.current': '250000000\n',
        'sys/fs/cgroup/system.slice/app.service/memory.max': 'max\n',
        'sys/fs/cgroup/system.slice/app.service/cpu.max': 'max 100000\n',
      })
      open()
      const { named } = await readAfter(0)
      expect(named['memory.total']).toBe(1_000_000_000)
      expect(named['memory.available']).toBe(750_000_000)
    })

    it('understands version 1, where "no limit" is a large number', async () => {
      put({
        ...machine,
        'self/cgroup': '5:memory:/docker/x\n4:cpu,cpuacct:/docker/x\n1:name=systemd:/docker/x\n',
        'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
        'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '100000\n',
        'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
        'sys/fs/cgroup/cpu,cpuacct/cpuacct.usage': '1000000000\n',
      })
      open()
      await readAfter(0)
      put({
        stat: 'cpu  10 0 0 1190 0 0 0 0 0 0\n',
        'sys/fs/cgroup/cpu,cpuacct/cpuacct.usage': '1750000000\n',
      })
      const { named } = await readAfter(1000)
      expect(named['memory.total']).toBe(16_000_000 * 1024)
      expect(named['cpu.busy']).toBeCloseTo(0.75)
    })
  })

  it('reads a file whole that is longer than any buffer was before', async () => {
    const cores = Array.from({ length: 512 }, (_, core) => `cpu${core} 1 0 0 1 0 0 0 0 0 0\n`).join('')
    put({ stat: `${cores}intr 5 ${'0 '.repeat(30_000)}\nprocs_running 77\n` })
    const { named } = await readAfter(0)
    expect(named['processes.running']).toBe(77)
    expect(named).toHaveProperty(['cpu.core.busy{511}'])
  })

  it('finds a file that comes later within a minute', async () => {
    put({ stat: stat(1) })
    expect((await readAfter(0)).named).not.toHaveProperty(['conntrack.entries'])
    put({ 'sys/net/netfilter/nf_conntrack_count': '12\n' })
    await readAfter(30_000)
    expect((await readAfter(31_000)).named['conntrack.entries']).toBe(12)
  })

  it('says it is closed once it is', async () => {
    put({ stat: stat(1) })
    await source[Symbol.asyncDispose]()
    const answers = await Promise.all([
      source.read(),
      source.topProcesses('cpu', 1),
      source.connectionCounts(),
    ])
    expect(answers.map((answer) => (answer.ok ? 'ok' : answer.error.code))).toEqual(
      Array(3).fill('UNAVAILABLE'),
    )
  })
})

describe('the processes of a Linux host', () => {
  const row = (pid: number, name: string, ticks: number, start = 100, pages = 10) =>
    `${pid} (${name}) S 1 1 1 0 -1 0 0 0 0 0 ${ticks} 0 0 0 20 0 3 0 ${start} 0 ${pages} 0\n`
  /** Virtual time moves only while somebody waits for it, not while files are being read. */
  const untilDone = async <T>(asking: Promise<Result<T>>): Promise<T> => {
    let answer: Result<T> | undefined
    void asking.then((result) => (answer = result))
    while (!answer) await clock.advance(clock.timerCount > 0 ? 100 : 0)
    if (!answer.ok) throw answer.error
    return answer.value
  }
  const top = () => untilDone(source.topProcesses('cpu', 10))

  beforeEach(() => {
    put({ stat: 'btime 1700000000\n', '7/stat': row(7, 'busy', 100), '8/stat': row(8, 'idle', 5, 200, 99) })
  })

  it('are measured over a window of their own at the first question, and since the last one afterwards', async () => {
    const asking = source.topProcesses('cpu', 10)
    while (clock.timerCount === 0) await clock.advance(0)
    put({ '7/stat': row(7, 'busy', 150) })
    const [first] = await untilDone(asking)
    expect(first).toMatchObject({ pid: 7, cpuRatio: 1, startedAtMs: 1700000001000, threadCount: 3 })
    await clock.advance(4_000)
    put({ '7/stat': row(7, 'busy', 151), '8/stat': row(8, 'idle', 405, 200, 99) })
    const second = await top()
    expect(second[0]).toMatchObject({ pid: 8, memoryBytes: 99 * 4096 })
    expect(second[0]!.cpuRatio).toBe(1)
  })

  it('do not inherit the time of another one that had the same number', async () => {
    await top()
    await clock.advance(1000)
    put({ '7/stat': row(7, 'newcomer', 20, 9_999) })
    const newcomer = (await top()).find((process) => process.pid === 7)!
    expect(newcomer).toMatchObject({ name: 'newcomer' })
    expect(newcomer.cpuRatio).toBe(0.2)
  })

  it('are left out when they end between the list and the look', async () => {
    mkdirSync(join(root, '9'))
    cpSync(join(root, '8/stat'), join(root, 'not-a-pid'))
    expect((await top()).map((process) => process.pid).toSorted()).toEqual([7, 8])
  })

  it('that are not there are not found', async () => {
    await top()
    const answer = await source.process(12345)
    expect(answer.ok ? 'ok' : answer.error.code).toBe('NOT_FOUND')
  })
})
