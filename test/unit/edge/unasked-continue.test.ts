import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UnaskedContinue } from '../../../src/edge/supervisor/unasked-continue.ts'

const final = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const asked = 'HTTP/1.1 100 Continue\r\n\r\n'
const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </100>\r\n\r\n'
const corrected = 'HTTP/1.1 103 Continue\r\n\r\n'

/** What is read of `text` when it comes in pieces of these lengths. */
function read(text: string, lengths: readonly number[] = []): string {
  const filter = new UnaskedContinue()
  filter.begin()
  let out = ''
  let from = 0
  for (const length of [...lengths, text.length]) {
    const piece = Buffer.from(text.slice(from, from + length), 'latin1')
    filter.correct(piece)
    out += piece.toString('latin1')
    from += length
  }
  return out
}

describe('a 100 Continue that nobody asked for', () => {
  it.each([
    ['alone', asked + final, corrected + final],
    ['twice', asked + asked + final, corrected + corrected + final],
    ['behind another interim response', hints + asked + final, hints + corrected + final],
    ['before another one', asked + hints + final, corrected + hints + final],
    ['with fields', `HTTP/1.1 100\r\nA: 1\r\n\r\n${final}`, `HTTP/1.1 103\r\nA: 1\r\n\r\n${final}`],
    ['with bare line feeds', `HTTP/1.1 100 C\n\n${asked}`, `HTTP/1.1 103 C\n\n${corrected}`],
    ['behind empty lines', `\r\n\n${asked}`, `\r\n\n${corrected}`],
  ])('becomes another interim response: %s', (_, text, expected) => {
    expect(read(text)).toBe(expected)
  })

  it.each([
    ['a final response', final],
    ['a body that looks like one', `${final}${asked}${asked}`],
    ['other statuses', 'HTTP/1.1 110 A\r\n\r\nHTTP/1.1 101 B\r\n\r\nHTTP/1.1 300 C\r\n\r\n'],
    ['what is no HTTP', 'hello 100 Continue\r\n\r\n'],
    ['nothing', ''],
  ])('is all that changes, never %s', (_, text) => {
    expect(read(text)).toBe(text)
  })

  it('is found however the stream is cut into pieces', () => {
    const part = fc.constantFrom(asked, hints, final)
    const pieces = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 40 })
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), pieces, (parts, lengths) => {
        const text = parts.join('')
        expect(read(text, lengths)).toBe(read(text))
      }),
    )
  })

  it('is left alone in a stream on which nothing was sent', () => {
    const piece = Buffer.from(asked)
    new UnaskedContinue().correct(piece)
    expect(piece.toString()).toBe(asked)
  })
})
