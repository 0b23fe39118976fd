import { describe, expect, it, vi } from 'vitest'
import { Children } from '../../../build/bootstrap/children.mjs'
import { Interrupts } from '../../../build/bootstrap/interrupt.mjs'
import { isRunning } from './processes.ts'

const node = process.execPath

/** A program that starts another, prints both process ids on a line, and stays. */
const family = (onTerm = 'process.exit(7)') => `
  const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  process.on('SIGTERM', () => { ${onTerm} })
  child.on('spawn', () => console.log(process.pid, child.pid))
  setInterval(() => {}, 1000)`

/** Runs a family until it has told its process ids. */
async function startFamily(children: Children, onTerm?: string, limitMs?: number) {
  const lines: string[] = []
  const ended = children.run(node, ['-e', family(onTerm)], {
    onLine: (line) => lines.push(line),
    ...(limitMs === undefined ? {} : { limitMs }),
  })
  await vi.waitUntil(() => lines.length > 0, { timeout: 60_000 })
  return { ended, pids: (lines[0] ?? '').split(' ').map(Number) }
}

describe('the processes that the bootstrap starts', () => {
  it('give their lines and their exit code', async () => {
    const lines: string[] = []
    const script = `process.stdout.write('é'.repeat(3)); console.log('\\r'); console.error('two'); process.exitCode = 3`
    const exit = await new Children().run(node, ['-e', script], { onLine: (line) => lines.push(line) })
    expect(exit).toEqual({ code: 3, isTimedOut: false, failure: null })
    expect(lines.map((line) => line.trim()).sort()).toEqual(['two', 'ééé'])
  })

  it('that do not exist are told of, not thrown', async () => {
    const exit = await new Children().run('/nowhere/pilothouse-none', [], { onLine: () => {} })
    expect(exit.code).toBeNull()
    expect(exit.failure?.message).toContain('ENOENT')
  })
})

describe.skipIf(process.platform === 'win32')('stopping what the bootstrap started', () => {
  it('lets a process end by itself, and leaves none of its children behind', async () => {
    const children = new Children()
    const { ended, pids } = await startFamily(children)
    children.stop(60_000)
    expect((await ended).code).toBe(7)
    await vi.waitUntil(() => !pids.some(isRunning), { timeout: 60_000 })
  })

  it('kills one that does not listen', async () => {
    const children = new Children()
    const { ended, pids } = await startFamily(children, '/* not now */')
    children.stop(10)
    expect((await ended).code).toBeNull()
    await vi.waitUntil(() => !pids.some(isRunning), { timeout: 60_000 })
  })

  it('ends one that takes too long, with its children', async () => {
    const children = new Children()
    const { ended, pids } = await startFamily(children, '/* not now */', 2000)
    expect(await ended).toMatchObject({ isTimedOut: true })
    await vi.waitUntil(() => !pids.some(isRunning), { timeout: 60_000 })
  })

  it('starts nothing more', async () => {
    const children = new Children()
    children.stop(0)
    const lines: string[] = []
    await children.run(node, ['-e', 'console.log("hello")'], { onLine: (line) => lines.push(line) })
    expect(lines).toEqual([])
  })
})

describe('Ctrl-C', () => {
  const pressed = (...timesMs: number[]) => {
    const calls: string[] = []
    const interrupts = new Interrupts({ onStop: () => calls.push('stop'), onKill: () => calls.push('kill') })
    for (const atMs of timesMs) interrupts.request(atMs)
    return calls
  }

  it('stops once, though terminal and npm both tell of it', () => {
    expect(pressed(1000, 1000, 1080)).toEqual(['stop'])
  })

  it('kills when it is pressed again', () => {
    expect(pressed(1000, 1080, 2500)).toEqual(['stop', 'kill'])
  })
})
