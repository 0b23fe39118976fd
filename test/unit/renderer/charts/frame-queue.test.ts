import { describe, expect, it } from 'vitest'
import { FrameQueue } from '../../../../src/renderer/charts/frame-queue.ts'

function page() {
  const frames: ((waitedMs: number) => void)[] = []
  const changes: ((isVisible: boolean) => void)[] = []
  const queue = new FrameQueue({
    onFrame: (run) => void frames.push(run),
    observe: (_element, changed) => {
      changes.push(changed)
      return () => undefined
    },
  })
  const drawn: string[] = []
  const add = (name: string) => queue.add({} as Element, () => void drawn.push(name))
  return {
    queue,
    add,
    drawn,
    frames,
    show: (index: number, isVisible: boolean) => changes[index]?.(isVisible),
    frame: (waitedMs = 16) => frames.shift()?.(waitedMs),
  }
}

describe('the frame queue', () => {
  it('draws one a frame, in the order they asked, each once however often it asked', () => {
    const { add, drawn, show, frame } = page()
    const [first, second] = [add('cpu'), add('load')]
    show(0, true)
    show(1, true)
    first.request()
    second.request()
    first.request()
    frame()
    expect(drawn).toEqual(['cpu'])
    frame()
    frame()
    expect(drawn).toEqual(['cpu', 'load'])
  })

  it('draws more in a frame that came late, so that no chart stays behind on a busy machine', () => {
    const { add, drawn, show, frame } = page()
    const names = ['cpu', 'load', 'disk', 'network']
    names
      .map((name) => add(name))
      .forEach((drawing, index) => {
        show(index, true)
        drawing.request()
      })
    frame(120)
    expect(drawn).toEqual(['cpu', 'load', 'disk'])
  })

  it('leaves what cannot be seen until it comes into view', () => {
    const { add, drawn, show, frame, frames } = page()
    add('disk').request()
    expect(frames).toHaveLength(0)
    show(0, true)
    frame()
    expect(drawn).toEqual(['disk'])
  })

  it('asks for no frame when nothing is due', () => {
    const { add, show, frames, frame } = page()
    const cpu = add('cpu')
    show(0, true)
    cpu.request()
    frame()
    expect(frames).toHaveLength(0)
  })

  it('does not draw what was disposed while it waited', () => {
    const { add, drawn, show, frame } = page()
    const cpu = add('cpu')
    show(0, true)
    cpu.request()
    cpu.dispose()
    frame()
    expect(drawn).toEqual([])
  })

  it('goes on with the others when one throws', () => {
    const { queue, add, drawn, show, frame } = page()
    const bad = queue.add({} as Element, () => {
      throw new Error('no context')
    })
    const good = add('good')
    show(0, true)
    show(1, true)
    bad.request()
    good.request()
    expect(() => frame()).toThrow('no context')
    frame()
    expect(drawn).toEqual(['good'])
  })
})
