import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openLog, type LogLevel } from '../../../../src/adapters/log/index.ts'
import { RotatingFile } from '../../../../src/adapters/log/rotating-file.ts'
import { terminalLine } from '../../../../src/adapters/log/terminal.ts'
import { withCorrelation } from '../../../../src/engine/core/index.ts'
import { VirtualClock } from '../../../support/clock.ts'

function collected(level: LogLevel = 'info') {
  const lines: Record<string, unknown>[] = []
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>)
  const log = openLog({ level, clock: new VirtualClock(Date.UTC(2026, 0, 2)), to: { kind: 'lines', write } })
  return { log, lines }
}

describe('the log', () => {
  it('writes a line of JSON with UTC time, level, fields and message', () => {
    const { log, lines } = collected()
    log.child({ part: 'store' }).warn('slow', { latencyMs: 412 })
    expect(lines).toEqual([
      { level: 'warn', time: '2026-01-02T00:00:00.000Z', part: 'store', latencyMs: 412, msg: 'slow' },
    ])
  })

  it('leaves out what is below its level, and changes level for children too', () => {
    const { log, lines } = collected('warn')
    const child = log.child({})
    child.info('before')
    log.setLevel('debug')
    child.debug('after')
    expect(lines.map(({ msg }) => msg)).toEqual(['after'])
  })

  it('carries the correlation id over awaits and timers, each call its own', async () => {
    const { log, lines } = collected()
    const call = async (id: string) => {
      await new Promise((resolve) => setImmediate(resolve))
      log.info('inside', { id })
      await Promise.all([1, 2].map(async () => Promise.resolve().then(() => log.info('deeper', { id }))))
    }
    await Promise.all(['a', 'b'].map((id) => withCorrelation(id, () => call(id))))
    log.info('outside')
    expect(lines).toHaveLength(7)
    for (const { correlationId, id } of lines) expect(correlationId).toBe(id)
  })

  it('hides secrets in fields, children, messages and what it was told to hide', () => {
    const { log, lines } = collected()
    log.hide('correct-horse')
    log.child({ password: 'hunter2' }).info('http://h/?token=hunter2', { note: 'correct-horse' })
    expect(JSON.stringify(lines)).not.toMatch(/hunter2|correct-horse/)
  })

  it('keeps its own keys when fields have the same names', () => {
    const { log, lines } = collected()
    log.info('real', { msg: 'forged', level: 'error', time: 0 })
    expect(lines).toEqual([
      {
        level: 'info',
        time: '2026-01-02T00:00:00.000Z',
        msg_: 'forged',
        level_: 'error',
        time_: 0,
        msg: 'real',
      },
    ])
  })

  it('keeps hostile text inside its line', () => {
    const written: string[] = []
    const log = openLog({
      level: 'info',
      clock: new VirtualClock(),
      to: { kind: 'lines', write: (line) => void written.push(line) },
    })
    log.info('one\n{"level":"error"}', { 'a\nb': '\u001b[2J' })
    expect(written).toHaveLength(1)
    expect(written[0]?.trimEnd()).not.toContain('\n')
  })
})

describe('a line on the terminal', () => {
  const line = (fields: object) =>
    terminalLine(
      JSON.stringify({ level: 'warn', time: '2026-01-02T03:04:05.678Z', msg: 'slow', ...fields }),
      false,
    )

  it('reads as a sentence with fields', () => {
    expect(line({ mount: '/a b', latencyMs: 412 })).toBe(
      '03:04:05.678 warn  slow  mount="/a b" latencyMs=412\n',
    )
  })

  it('cannot be forged or moved by hostile text', () => {
    const told = line({
      msg: 'a\n00:00:00.000 error forged',
      name: '\u001b[2J\u001b]0;x\u0007y\r\u202e\u2066',
    })
    expect(told.split('\n')).toHaveLength(2)
    // eslint-disable-next-line no-control-regex
    expect(told).not.toMatch(/[\u001b\u0007\r\u202e\u2066]/)
  })

  it('shows the way to an error below it', () => {
    const error = {
      name: 'AppError',
      code: 'STORE_BUSY',
      message: 'locked',
      stack: 'AppError: locked\n    at here (a.ts:1:1)',
    }
    expect(line({ level: 'error', error })).toBe(
      '03:04:05.678 error slow  error="STORE_BUSY: locked"\n    at here (a.ts:1:1)\n',
    )
  })
})

describe('a rotated log file', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'pilothouse-log-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  const open = (more = {}) =>
    new RotatingFile({ path: join(directory, 'logs', 'a.log'), maxBytes: 100, keptCount: 2, ...more })

  it('keeps the newest lines in files of bounded size, over restarts too', () => {
    for (let launch = 0; launch < 3; launch++) {
      const file = open()
      for (let line = 0; line < 20; line++) file.write(`${launch} line ${line}\n`)
      file[Symbol.dispose]()
    }
    const names = readdirSync(join(directory, 'logs')).sort()
    expect(names).toEqual(['a.log', 'a.log.1', 'a.log.2'])
    const texts = names.map((name) => readFileSync(join(directory, 'logs', name), 'utf8'))
    for (const text of texts) expect(text.length).toBeLessThanOrEqual(100)
    const lines = texts.reverse().join('').trim().split('\n')
    const all = [0, 1, 2].flatMap((launch) =>
      Array.from({ length: 20 }, (_, line) => `${launch} line ${line}`),
    )
    expect(lines.length).toBeGreaterThan(10)
    expect(lines).toEqual(all.slice(-lines.length))
  })

  it('is for its user alone', () => {
    open().write('x\n')
    expect(statSync(join(directory, 'logs', 'a.log')).mode & 0o077).toBe(0)
  })

  it('counts the lines it cannot write, and throws nothing', () => {
    writeFileSync(join(directory, 'taken'), '')
    const file = open({ path: join(directory, 'taken', 'a.log') })
    file.write('x\n')
    file.write('y\n')
    expect(file.lostLineCount).toBe(2)
  })
})
