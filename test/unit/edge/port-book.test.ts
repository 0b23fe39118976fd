import { describe, expect, it } from 'vitest'
import { PortBook } from '../../../src/edge/supervisor/port-book.ts'

/** Finds these ports one after the other, and the last again and again. */
const finding = (...ports: number[]) => {
  let at = 0
  return () => Promise.resolve(ports[Math.min(at++, ports.length - 1)] as number)
}

describe('the ports of instances', () => {
  it('are given to one instance each, though the one before does not listen yet', async () => {
    const book = new PortBook(finding(4000, 4000, 4000, 4001))
    expect([await book.take(), await book.take()]).toEqual([4000, 4001])
  })

  it('are not those of instances that an earlier edge has started', async () => {
    const book = new PortBook(finding(4000, 4001))
    book.note(4000)
    expect(await book.take()).toBe(4001)
  })

  it('are given again when they were given back', async () => {
    const book = new PortBook(finding(4000))
    await book.take()
    book.giveBack(4000)
    expect(await book.take()).toBe(4000)
  })

  it('are not looked for without an end', async () => {
    const book = new PortBook(finding(4000))
    await book.take()
    await expect(book.take()).rejects.toThrow('no free port')
  })
})
