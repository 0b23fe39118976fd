import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ProcessCount } from '../../../../src/adapters/metrics/linux/process-count.ts'
import { commandOf, parseProcessStat } from '../../../../src/adapters/metrics/linux/process-stat.ts'
import { parseUsers } from '../../../../src/adapters/metrics/linux/processes.ts'
import { VirtualClock } from '../../../support/clock.ts'

const rest =
  'S 1 42 42 0 -1 4194560 100 0 0 0 250 150 0 0 20 0 7 0 12345 1000000 321 18446744073709551615 1 1'

describe('/proc/PID/stat', () => {
  it('gives parent, state, time, threads, start and memory', () => {
    expect(parseProcessStat(`42 (node) ${rest}`)).toEqual({
      pid: 42,
      name: 'node',
      state: 'sleeping',
      parentPid: 1,
      cpuTicks: 400,
      threadCount: 7,
      startTicks: 12345,
      residentPages: 321,
    })
  })

  it.each([
    ['closing parentheses', ') R 1 1 (evil'],
    ['a newline', 'line\nbreak'],
    ['blanks', 'a b  c'],
    ['nothing', ''],
    ['a whole fake row', '1) R 9 9 9 9 9'],
  ])('is not fooled by a name of %s', (_, name) => {
    expect(parseProcessStat(`42 (${name}) ${rest}`)).toMatchObject({
      pid: 42,
      name,
      parentPid: 1,
      cpuTicks: 400,
    })
  })

  it.each([
    ['nothing', ''],
    ['a row cut short', '42 (node) S 1 42'],
    ['no name', '42 node S 1'],
    ['no pid', `(node) ${rest}`],
  ])('knows no process from %s', (_, text) => {
    expect(parseProcessStat(text)).toBeUndefined()
  })
})

describe('what a person reads', () => {
  it('is the command line with its arguments, or the name in brackets where there is none', () => {
    expect(commandOf('/usr/bin/node\0--flag\0server.js\0', 'node')).toBe('/usr/bin/node --flag server.js')
    expect(commandOf('', 'kworker/0:1')).toBe('[kworker/0:1]')
  })

  it('names users by the first entry of their number', () => {
    const users = parseUsers(
      'root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\n\nbroken\nana:x:1000:1000::/home/ana:/bin/sh',
    )
    expect([...users]).toEqual([
      ['0', 'root'],
      ['1000', 'ana'],
    ])
  })
})

describe('the number of processes', () => {
  it('is a listing every time in a container, where the kernel counts those of the whole machine', async () => {
    const root = mkdtempSync(join(tmpdir(), 'proc-'))
    try {
      mkdirSync(join(root, 'self/ns'), { recursive: true })
      symlinkSync('pid:[4026532198]', join(root, 'self/ns/pid'))
      mkdirSync(join(root, '1'))
      const count = new ProcessCount(new VirtualClock(), root)
      expect(await count.now()).toBe(1)
      mkdirSync(join(root, 'not-a-process'))
      mkdirSync(join(root, '42'))
      expect(await count.now()).toBe(2)
    } finally {
      rmSync(root, { recursive: true })
    }
  })

  it('is unknown where nothing can be listed', async () => {
    expect(await new ProcessCount(new VirtualClock(), join(tmpdir(), 'absent-proc')).now()).toBeNaN()
  })
})
