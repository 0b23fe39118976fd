import fc from 'fast-check'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  fitToDisplays,
  minimalSize,
  readWindowState,
  writeWindowState,
  type WindowState,
} from '../../../electron/window-state.ts'

const laptop = { x: 0, y: 25, width: 1440, height: 875 }
const second = { x: 1440, y: 0, width: 1920, height: 1080 }
const at = (x: number, y: number, width = 1000, height = 700): WindowState => ({
  bounds: { x, y, width, height },
  isMaximized: false,
})

describe('the place of a window', () => {
  it('is kept where it was', () => {
    expect(fitToDisplays(at(100, 80), [laptop, second])).toEqual(at(100, 80))
    expect(fitToDisplays(at(1500, 20), [laptop, second])).toEqual(at(1500, 20))
  })

  it('comes back to the first display when its own is gone', () => {
    expect(fitToDisplays(at(1500, 20), [laptop]).bounds).toEqual({ x: 0, y: 25, width: 1440, height: 875 })
  })

  it('comes back when its title bar is above or below what can be seen', () => {
    expect(fitToDisplays(at(100, -400), [laptop]).bounds.y).toBe(25)
    expect(fitToDisplays(at(100, 890), [laptop]).bounds.y).toBe(25)
  })

  it('is the middle of the first display at the first start', () => {
    expect(fitToDisplays(undefined, [second, laptop])).toEqual({
      bounds: { x: 1440 + 240, y: 90, width: 1440, height: 900 },
      isMaximized: false,
    })
  })

  it('shrinks to a smaller display and stays maximized', () => {
    const small = { x: 0, y: 0, width: 800, height: 600 }
    const saved = { ...at(10, 10, 1900, 1000), isMaximized: true }
    expect(fitToDisplays(saved, [small])).toEqual({
      bounds: { x: 10, y: 10, width: 800, height: 600 },
      isMaximized: true,
    })
  })

  it('can always be grasped, on any displays', () => {
    const number = fc.integer({ min: -5000, max: 5000 })
    const size = fc.integer({ min: 1, max: 9000 })
    const area = fc.record({
      x: number,
      y: number,
      width: fc.integer({ min: 640, max: 4000 }),
      height: fc.integer({ min: 480, max: 3000 }),
    })
    fc.assert(
      fc.property(number, number, size, size, fc.array(area, { minLength: 1 }), (x, y, w, h, areas) => {
        const { bounds } = fitToDisplays(at(x, y, w, h), areas)
        expect(bounds.width).toBeGreaterThanOrEqual(minimalSize.width)
        expect(bounds.height).toBeGreaterThanOrEqual(minimalSize.height)
        const isSeen = areas.some(
          (shown) =>
            Math.min(bounds.x + bounds.width, shown.x + shown.width) - Math.max(bounds.x, shown.x) >= 120 &&
            bounds.y >= shown.y &&
            bounds.y + 32 <= shown.y + shown.height,
        )
        expect(isSeen).toBe(true)
      }),
    )
  })
})

describe('the file of the window state', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'window-state-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  it('gives back what was written and leaves nothing else behind', () => {
    const file = join(directory, 'window-state.json')
    writeWindowState(file, at(1, 2))
    writeWindowState(file, at(3, 4))
    expect(readWindowState(file)).toEqual(at(3, 4))
    expect(readdirSync(directory)).toEqual(['window-state.json'])
  })

  it.each([
    '',
    '{',
    'null',
    '[]',
    '{"bounds":{"x":0,"y":0,"width":-5,"height":5},"isMaximized":false}',
    '{"bounds":{"x":0,"y":0,"width":1e9,"height":5},"isMaximized":false}',
    '{"bounds":{"x":"0","y":0,"width":10,"height":5},"isMaximized":false}',
    '{"bounds":{"x":0,"y":0,"width":10,"height":5},"isMaximized":false,"preload":"/tmp/evil.js"}',
  ])('is ignored when it holds %s', (text) => {
    const file = join(directory, 'window-state.json')
    writeFileSync(file, text)
    expect(readWindowState(file)).toBeUndefined()
  })

  it('is ignored when there is none, and a place that cannot be written costs no start', () => {
    expect(readWindowState(join(directory, 'none.json'))).toBeUndefined()
    expect(() => writeWindowState(join(directory, 'no', 'such', 'folder.json'), at(0, 0))).not.toThrow()
  })
})
