import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { judgeApart } from '../../../src/adapters/checks/report-judging.ts'
import type { ReportConfig } from '../../../src/engine/validation/index.ts'
import { attempt } from './attempt.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pilothouse-reports-'))
})
afterEach(() => rmSync(directory, { recursive: true }))
const place = (name: string) => join(directory, name)

const formats = {
  junit: { format: 'junit' },
  sarif: { format: 'sarif' },
  json: { format: 'json', rules: [{ pointer: '/ok', equals: true }] },
} as const
const good: Record<keyof typeof formats, string> = {
  junit: '<testsuite><testcase name="a"/></testsuite>',
  sarif: '{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": []}]}',
  json: '{"ok": true}',
}
const names = Object.keys(formats) as (keyof typeof formats)[]

const judged = (format: keyof typeof formats, path: string) =>
  attempt({ kind: 'reports', cwd: directory, reports: [{ ...formats[format], path }] })

const mebibytes = 2 ** 20
/** `piece` again and again between `head` and `tail`, a little below the greatest size that is read. */
const filled = (head: string, piece: string, tail: string) =>
  head + piece.repeat(Math.floor((15.9 * mebibytes - head.length - tail.length) / piece.length)) + tail

describe.each(names)('a %s report', (format) => {
  const written = async (content: string | Uint8Array) => {
    writeFileSync(place('report'), content)
    return judged(format, 'report')
  }

  it('that is good passes, in UTF-8 with and without its mark, and in UTF-16', async () => {
    const text = good[format]
    const swapped = Buffer.from(`\uFEFF${text}`, 'utf16le').swap16()
    for (const content of [text, `\uFEFF${text}`, Buffer.from(`\uFEFF${text}`, 'utf16le'), swapped])
      expect((await written(content)).outcome).toBe('passed')
  })

  it.each([
    ['empty', ''],
    ['not UTF-8', Buffer.concat([Buffer.from(good[format]), Buffer.from([0xff, 0xc0, 0x80])])],
    ['cut in the middle of a character', Buffer.from(`${good[format]}é`).subarray(0, -1)],
    ['half of UTF-16', Buffer.from(`\uFEFF${good[format]}`, 'utf16le').subarray(0, -1)],
    ['UTF-16 without its mark', Buffer.from(good[format], 'utf16le')],
    ['zeros', new Uint8Array(mebibytes)],
    ['a picture', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')],
    ['cut off', good[format].slice(0, -1)],
    ['two of them', good[format] + good[format]],
    ['a report of another kind', good[format === 'junit' ? 'sarif' : 'junit']],
  ])('that is %s fails with a sentence', async (_what, content) => {
    const verdict = await written(content)
    expect(verdict.outcome).toBe('failed')
    expect(verdict.text).toMatch(/^The report report: it cannot be read: [^\n]+\.$/)
  })

  it('must be a file of bounded size', async () => {
    mkdirSync(place('directory'))
    symlinkSync('circle', place('circle'))
    writeFileSync(place('large'), '')
    truncateSync(place('large'), 16 * mebibytes + 1)
    expect((await judged(format, 'directory')).outcome).toBe('failed')
    expect((await judged(format, 'circle')).text).toMatch(/cannot be opened|was not written/)
    expect((await judged(format, 'large')).text).toContain('is larger than 16 MiB')
    expect((await judged(format, 'nothing')).text).toContain('was not written')
    expect((await judged(format, 'large/report')).outcome).toBe('failed')
  })

  it.skipIf(process.platform === 'win32')('must be no pipe, socket or device', async () => {
    execFileSync('mkfifo', [place('pipe')])
    const server = createServer().listen(place('socket'))
    await once(server, 'listening')
    expect((await judged(format, 'pipe')).text).toContain('is not a file')
    expect((await judged(format, 'socket')).text).toContain('cannot be opened')
    expect((await judged(format, '/dev/zero')).text).toContain('is not a file')
    server.close()
    await once(server, 'close')
  })
})

describe('a report that is made to hurt', () => {
  const open = '{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}},"results":['
  it.each([
    ['junit', 'entities in entities', '<!DOCTYPE x [<!ENTITY a "', '&b;', '">]><testsuite/>'],
    ['junit', 'elements in elements', '<testsuite>', '<a>', ''],
    ['junit', 'a name of megabytes', '<', 'a', '/>'],
    ['junit', 'a tag that never ends', '<testsuite><testcase name="', '&lt;', ''],
    [
      'junit',
      'millions of tests that did not run',
      '<testsuite>',
      '<testcase><skipped/></testcase>',
      '</testsuite>',
    ],
    ['sarif', 'millions of findings', open, '{},', '{}]}]}'],
    ['sarif', 'millions of mistakes', open, '1,', '1]}]}'],
    ['sarif', 'lists in lists', '', '[', ''],
    ['json', 'lists in lists', '{"ok":', '[', ']}'],
    ['json', 'sections in sections', '', '{"ok":', '1}'],
    ['json', 'a figure that is a text of megabytes', '{"ok":"', '\\u0001', '"}'],
    ['json', 'millions of members', '{"ok":[', '0,', '0]}'],
  ] as const)('a %s report of %s fails with a short sentence', async (format, _what, head, piece, tail) => {
    writeFileSync(place('report'), filled(head, piece, tail))
    const verdict = await judged(format, 'report')
    expect(verdict.outcome).toBe('failed')
    expect(verdict.text).toMatch(/^The report report: [^\n]{1,300}\.$/)
    expect(verdict.text).not.toContain('call stack')
    expect(Buffer.byteLength(verdict.output ?? '')).toBeLessThan(64 * 1024)
  })

  const report: ReportConfig = { format: 'junit', path: 'report', maxFailures: 0, minTests: 1 }
  const work = (text: string) => ({ report, bytes: new TextEncoder().encode(text) })
  const large = () => work(filled('<testsuite>', '<testcase name="a"/>', '</testsuite>'))

  it('does not stop the engine while it is judged', async () => {
    let turns = 0
    let isOver = false
    const turn = () => {
      turns += 1
      if (!isOver) setImmediate(turn)
    }
    const judging = judgeApart(large(), new AbortController().signal).finally(() => (isOver = true))
    turn()
    expect((await judging).isGood).toBe(true)
    expect(turns).toBeGreaterThan(20)
  })

  it('is let go when the check is stopped, and neither is one that waits for it', async () => {
    const [first, second] = [new AbortController(), new AbortController()]
    const verdicts = Promise.all([judgeApart(large(), first.signal), judgeApart(large(), second.signal)])
    const third = judgeApart(work(good.junit), new AbortController().signal)
    second.abort()
    first.abort()
    for (const { isGood, text } of await verdicts) {
      expect(isGood).toBe(false)
      expect(text).toContain('there was no time left to read it')
    }
    expect((await third).isGood).toBe(true)
  })
})
