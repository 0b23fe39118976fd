import { describe, expect, it } from 'vitest'
import type { LogLine } from '../../../../src/contract/index.ts'
import { newLines } from '../../../../src/hosts/cli/operations/log-lines.ts'

const line = (atMs: number, text: string, instanceId = 'i1'): LogLine => ({
  atMs,
  instanceId,
  releaseId: 'r1',
  stream: 'stdout',
  text,
})

describe('followed log lines', () => {
  it('are those that the look before had not, also where instances print between each other', () => {
    const before = [line(1, 'a'), line(3, 'c')]
    const now = [line(1, 'a'), line(2, 'b', 'i2'), line(3, 'c'), line(4, 'd')]
    expect(newLines(before, now)).toEqual({ fresh: [line(2, 'b', 'i2'), line(4, 'd')], isGap: false })
    expect(newLines(now, now)).toEqual({ fresh: [], isGap: false })
    expect(newLines([], now)).toEqual({ fresh: now, isGap: false })
  })

  it('are counted when they are equal', () => {
    expect(newLines([line(1, 'a')], [line(1, 'a'), line(1, 'a')]).fresh).toEqual([line(1, 'a')])
  })

  it('have a gap when nothing of the look before is left', () => {
    expect(newLines([line(1, 'a')], [line(5, 'x'), line(6, 'y')])).toMatchObject({ isGap: true })
    expect(newLines([line(1, 'a')], [])).toEqual({ fresh: [], isGap: false })
  })
})
