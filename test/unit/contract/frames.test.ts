import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeFrame, encodeFrame, type ServerFrame } from '../../../src/contract/index.ts'

const column = fc.array(fc.double(), { maxLength: 40 }).map((values) => Float64Array.from(values))

describe('a frame', () => {
  it('comes back as it was sent, whatever numbers its columns hold and wherever the bytes lie', () => {
    fc.assert(
      fc.property(column, column, fc.string(), fc.nat(16), (timesMs, values, hostId, shift) => {
        const rows = [{ hostId, seriesIds: Float64Array.of(1), timesMs, values }]
        const frame: ServerFrame = { kind: 'samples', seq: 3, engineTimeMs: 5, rows }
        const bytes = encodeFrame(frame)
        const elsewhere = new Uint8Array(bytes.length + shift)
        elsewhere.set(bytes, shift)
        expect(decodeFrame(elsewhere.subarray(shift))).toEqual(frame)
      }),
    )
  })

  it('is either read or refused with an error, whatever bytes arrive', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeFrame(bytes)
        } catch (failure) {
          expect(failure).toBeInstanceOf(Error)
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('is refused when a column points outside it', () => {
    for (const place of [
      [0, 1],
      [-1, 1],
      [0, 1e9],
    ]) {
      const header = new TextEncoder().encode(JSON.stringify({ values: { $column: place } }))
      const bytes = new Uint8Array(((4 + header.length + 7) & ~7) + 0)
      new DataView(bytes.buffer).setUint32(0, header.length, true)
      bytes.set(header, 4)
      expect(() => decodeFrame(bytes)).toThrow('outside')
    }
  })
})
