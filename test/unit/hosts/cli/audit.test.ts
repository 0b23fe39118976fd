import { describe, expect, it } from 'vitest'
import { newestAnchor } from '../../../../src/hosts/cli/operations/audit.ts'

const hash = (digit: string) => digit.repeat(64)
const csvRow = (seq: number, digit: string) =>
  `${seq},2026-01-01T00:00:00.000Z,ada,a,t,"x, y",{},,${hash(digit)}`
const anchorRow = (seq: number, digit: string, seal: string) =>
  `${seq},2026-01-01T00:00:00.000Z,pilothouse,audit.anchor,audit,Ended.,"{""seal"":""${hash(seal)}""}",,${hash(digit)}`

describe('the anchor in a file that the audit log is compared with', () => {
  it('is the last line of an export, with its seal', () => {
    const entry = JSON.stringify({ seq: 4, hash: hash('a') })
    const anchor = JSON.stringify({ kind: 'anchor', seq: 4, hash: hash('a'), seal: hash('b') })
    expect(newestAnchor(`${entry}\n${anchor}\n`)).toEqual({ seq: 4, hash: hash('a'), seal: hash('b') })
    const csv = ['seq,time', csvRow(4, 'a'), anchorRow(4, 'a', 'b')].join('\r\n')
    expect(newestAnchor(`${csv}\r\n`)).toEqual({ seq: 4, hash: hash('a'), seal: hash('b') })
  })

  it('is the last entry of an export that has no anchor', () => {
    expect(newestAnchor(`${csvRow(1, 'a')}\r\n${csvRow(2, 'b')}\r\n`)).toMatchObject({
      seq: 2,
      hash: hash('b'),
    })
  })

  it('is not what a cell of an export only looks like', () => {
    const text = `${csvRow(1, 'a').replace('x, y', `x\n${csvRow(99, 'f')}\ny`)}\r\n${csvRow(2, 'b')}\r\n`
    expect(newestAnchor(text)).toMatchObject({ seq: 2, hash: hash('b') })
  })

  it('is the newest one of a log file, whatever else stands there', () => {
    const lines = [
      JSON.stringify({ level: 30, msg: 'audit anchor', seq: 7, hash: hash('7'), seal: hash('8') }),
      JSON.stringify({ level: 30, msg: 'audit anchor', seq: 3, hash: hash('3') }),
      JSON.stringify({ level: 30, msg: 'something else', seq: 9 }),
      '{"seq": 12, "hash": ',
    ]
    expect(newestAnchor(lines.join('\n'))).toEqual({ seq: 7, hash: hash('7'), seal: hash('8') })
  })

  it.each([
    '',
    '\n\n',
    'null',
    '[]',
    '{"seq":"1","hash":"x"}',
    `{"seq":-1,"hash":"${hash('a')}"}`,
    `{"seq":1.5,"hash":"${hash('a')}"}`,
    `1,${hash('A')}`,
    `999999999999999999999,x,${hash('a')}`,
    '\u0000\u0001\ufffd',
    '['.repeat(100_000),
  ])('is not found in %j', (text) => {
    expect(newestAnchor(text)).toBeUndefined()
  })
})
