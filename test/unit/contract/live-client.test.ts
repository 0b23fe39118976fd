import { describe, expect, it } from 'vitest'
import {
  channelPair,
  encodeFrame,
  LiveClient,
  type LiveRecords,
  type ServerFrame,
} from '../../../src/contract/index.ts'

function connected() {
  const [near, far] = channelPair<Uint8Array>()
  const seen: { records: Partial<LiveRecords>[]; isClosed: boolean } = { records: [], isClosed: false }
  new LiveClient(near, {
    greeted: () => undefined,
    changed: (records) => seen.records.push(records),
    samples: () => undefined,
    heard: () => undefined,
    refused: () => undefined,
  })
  far.onClose(() => (seen.isClosed = true))
  const send = async (frame: unknown) => {
    far.send(encodeFrame(frame as ServerFrame))
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { seen, send }
}

describe('the consumer of live state', () => {
  it('takes a snapshot and what follows it', async () => {
    const { seen, send } = connected()
    await send({ kind: 'snapshot', seq: 0, engineTimeMs: 1, records: { notices: [] } })
    await send({ kind: 'diff', seq: 1, engineTimeMs: 2, diff: { put: { health: {} }, removed: ['notices'] } })
    expect(seen.records).toEqual([{ notices: [] }, { health: {} }])
    expect(seen.isClosed).toBe(false)
  })

  it.each([
    { kind: 'snapshot', seq: 0, engineTimeMs: 1, records: [] },
    { kind: 'snapshot', seq: -1, engineTimeMs: 1, records: {} },
    { kind: 'diff', seq: 0, engineTimeMs: 1, diff: { put: {}, removed: 'health' } },
    { kind: 'diff', seq: 0, engineTimeMs: 'now', diff: { put: {}, removed: [] } },
    {
      kind: 'samples',
      seq: 0,
      engineTimeMs: 1,
      rows: [{ hostId: 'a', seriesIds: [1], timesMs: [], values: [] }],
    },
    { kind: 'unheard of', seq: 0 },
    null,
  ])('closes the connection at a frame that is none: %j', async (frame) => {
    const { seen, send } = connected()
    await send(frame)
    await new Promise((resolve) => setImmediate(resolve))
    expect(seen.isClosed).toBe(true)
    expect(seen.records).toEqual([])
  })
})
