import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/adapters/system/index.ts'
import { until } from '../../support/until.ts'
import { InstanceLog, type InstanceLogOptions } from '../../../src/edge/supervisor/instance-log.ts'

const small: InstanceLogOptions = { maxFileBytes: 100_000, maxReadBytes: 10_000_000, keptLines: 100_000 }
const lineOf = (n: number) => `${String(n).padStart(6, '0')} ${'x'.repeat(200)}`

describe('the log of an instance', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'pilothouse-log-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  const open = (options: InstanceLogOptions = small) =>
    new InstanceLog(systemClock(), directory, { instanceId: 'r1-a', releaseId: 'r1' }, options)
  const numbersOf = (log: InstanceLog) => log.lines.map(({ text }) => Number(text.slice(0, 6)))
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)
  const write = (log: InstanceLog, from: number, to: number) =>
    appendFileSync(log.stdoutPath, `${range(from, to).map(lineOf).join('\n')}\n`)
  const bytesOnDisk = () =>
    readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).blocks * 512, 0)

  /** Another process that prints so many numbered lines, a few each millisecond, as instances do. */
  const printer = (log: InstanceLog, count: number) => {
    const script = `const fs = require('node:fs'); let n = 0
      const more = () => {
        for (let i = 0; i < 5 && n < ${count}; i++, n++) fs.writeSync(1, String(n).padStart(6, '0') + ' ' + 'x'.repeat(200) + '\\n')
        if (n < ${count}) setTimeout(more, 1)
      }
      more()`
    const out = openSync(log.stdoutPath, 'a', 0o600)
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', out, 'ignore'] })
    closeSync(out)
    return once(child, 'exit')
  }

  it('loses no line and repeats none while it is cut off under a process that prints', async () => {
    const count = 5000
    const log = open()
    let isPrinting = true
    const printed = printer(log, count).finally(() => (isPrinting = false))
    while (isPrinting) {
      await log.read()
      // Most of what is printed meanwhile meets a read or a cut.
      await new Promise((resolve) => setImmediate(resolve))
    }
    await printed
    await log.read()
    expect(numbersOf(log)).toEqual(range(0, count))
    // A million bytes were printed.
    expect(bytesOnDisk()).toBeLessThan(500_000)
  })

  it.runIf(process.platform === 'linux')(
    'follows a file that was renamed or deleted under its writer',
    async () => {
      const log = open()
      const out = openSync(log.stdoutPath, 'a', 0o600)
      const child = spawn(process.execPath, ['-e', 'process.stdin.pipe(process.stdout)'], {
        stdio: ['pipe', out, 'ignore'],
      })
      closeSync(out)
      log.follow(child.pid ?? 0)
      const say = async (text: string) => {
        child.stdin?.write(`${text}\n`)
        return until(`the line ${text}`, async () => {
          await log.read()
          return log.lines.at(-1)?.text === text ? log.lines.map((line) => line.text) : undefined
        })
      }
      await say('before')
      renameSync(log.stdoutPath, `${log.stdoutPath}.old`)
      await say('renamed')
      appendFileSync(log.stdoutPath, 'of somebody else\n')
      rmSync(`${log.stdoutPath}.old`)
      expect(await say('deleted')).toEqual(['before', 'renamed', 'deleted'])
      child.stdin?.end()
      await once(child, 'exit')
      // The next process writes to the file that stands at the path.
      write(log, 1, 2)
      await log.read()
      expect(log.lines.at(-1)?.text).toBe(lineOf(1))
    },
  )

  it('goes on where an edge before it was killed, with what is kept, each line once', async () => {
    const count = 5000
    const first = open()
    let isPrinting = true
    const printed = printer(first, count).finally(() => (isPrinting = false))
    while (first.lines.length < 2000) await first.read()
    // The first is left as it is, as a kill does it.
    const last = first.lines.length
    const second = open()
    while (isPrinting) {
      await second.read()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await printed
    await second.read()
    const [from = NaN] = numbersOf(second)
    expect(numbersOf(first)).toEqual(range(0, last))
    expect(from).toBeLessThanOrEqual(last)
    expect(numbersOf(second)).toEqual(range(from, count))
  })

  it('shows lines again after a restart with the time at which they were written', async () => {
    const log = open()
    write(log, 0, 1000)
    const writtenAtMs = statSync(log.stdoutPath).mtimeMs
    await log.read()
    const again = open()
    await again.read()
    const [first = NaN] = numbersOf(again)
    expect(numbersOf(again)).toEqual(range(first, 1000))
    expect(again.lines.length).toBeGreaterThan(400)
    expect(log.lines.at(-1)?.atMs).toBe(Math.round(writtenAtMs))
  })

  it('finishes a cut that was killed before the front was given back', async () => {
    const log = open({ ...small, punch: () => new Promise(() => undefined) })
    write(log, 0, 1000)
    void log.read()
    while (!readdirSync(directory).some((name) => /\d{16}$/.test(name)))
      await new Promise((resolve) => setImmediate(resolve))
    const again = open()
    await again.read()
    const [first = NaN] = numbersOf(again)
    expect(numbersOf(again)).toEqual(range(first, 1000))
    expect(bytesOnDisk()).toBeLessThan(250_000)
  })

  it('empties the file where holes cannot be punched, and loses nothing of what stood in it', async () => {
    const log = open({ ...small, punch: () => Promise.resolve(false) })
    for (let from = 0; from < 5000; from += 700) {
      write(log, from, Math.min(5000, from + 700))
      await log.read()
      expect(statSync(log.stdoutPath).size).toBeLessThanOrEqual(100_000)
    }
    expect(numbersOf(log)).toEqual(range(0, 5000))
    expect(readdirSync(directory).sort()).toEqual(['r1-a.out.log', 'r1-a.out.log.1'])
  })

  it('passes over what is printed faster than it reads, in whole lines', async () => {
    const log = open({ ...small, maxReadBytes: 10_000 })
    write(log, 0, 300)
    await log.read()
    const [first = NaN] = numbersOf(log)
    expect(first).toBeGreaterThan(240)
    expect(numbersOf(log)).toEqual(range(first, 300))
    expect(log.lines[0]?.text).toBe(lineOf(first))
  })

  it('takes every file with it when the instance has gone', async () => {
    const log = open()
    write(log, 0, 1000)
    await log.read()
    await log.remove()
    expect(readdirSync(directory)).toEqual([])
  })

  it('is deleted when nobody knows its instance any more and it is old', async () => {
    const log = open()
    write(log, 0, 1000)
    await log.read()
    const other = new InstanceLog(systemClock(), directory, { instanceId: 'r2-b', releaseId: 'r2' }, small)
    write(other, 0, 1)
    const { mtimeMs } = statSync(other.stdoutPath)
    await InstanceLog.sweep(directory, new Set(['r2-b']), mtimeMs - 60_000)
    expect(readdirSync(directory)).toHaveLength(3)
    await InstanceLog.sweep(directory, new Set(['r2-b']), mtimeMs + 60_000)
    expect(readdirSync(directory)).toEqual(['r2-b.out.log'])
  })
})
