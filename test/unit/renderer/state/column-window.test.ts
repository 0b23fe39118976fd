import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ColumnWindow } from '../../../../src/renderer/state/column-window.ts'

const contents = ({ timesMs, values }: ColumnWindow) => [...timesMs].map((timeMs, at) => [timeMs, values[at]])

describe('a window of columns', () => {
  it('keeps the last of its span and forgets the rest', () => {
    const window = new ColumnWindow(10)
    for (let timeMs = 0; timeMs <= 30; timeMs += 5) window.push(timeMs, timeMs * 2)
    expect(contents(window)).toEqual([
      [20, 40],
      [25, 50],
      [30, 60],
    ])
  })

  it('drops what is not newer than the last', () => {
    const window = new ColumnWindow(100)
    window.push(10, 1)
    window.push(10, 2)
    window.push(9, 3)
    window.push(Number.NaN, 4)
    expect(contents(window)).toEqual([[10, 1]])
  })

  it('takes history in, and keeps what came live after it was asked for', () => {
    const window = new ColumnWindow(100)
    window.push(50, 1)
    window.push(60, 2)
    window.fill(Float64Array.of(30, 40, 50), Float64Array.of(7, 8, 9))
    expect(contents(window)).toEqual([
      [30, 7],
      [40, 8],
      [50, 9],
      [60, 2],
    ])
  })

  it('keeps what is there when the history is empty', () => {
    const window = new ColumnWindow(100)
    window.push(50, 1)
    window.fill(new Float64Array(), new Float64Array())
    expect(contents(window)).toEqual([[50, 1]])
  })

  it('holds, after any pushes, exactly the newest samples of its span and bound, ascending', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 900 }),
        fc.integer({ min: 1, max: 400 }),
        (steps, maxSamples) => {
          const window = new ColumnWindow(1000, maxSamples)
          const pushed: [number, number][] = []
          let timeMs = 0
          for (const step of steps) {
            timeMs += step
            window.push(timeMs, -timeMs)
            pushed.push([timeMs, -timeMs])
          }
          const expected = pushed.filter(([at]) => at >= timeMs - 1000).slice(-maxSamples)
          expect(contents(window)).toEqual(expected)
        },
      ),
    )
  })
})
