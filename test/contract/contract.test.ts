import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Disposables } from '../../src/base/index.ts'
import {
  ackWindow,
  contract,
  createCallClient,
  decodeFrame,
  encodeFrame,
  errorCodes,
  LiveClient,
  liveProtocolVersion,
  maxMessageBytes,
  reconnectDelayMs,
  Connection,
  type Channels,
  type ClientFrame,
  type ConnectionState,
  type LiveChannel,
  type LiveRecords,
  type ServerFrame,
} from '../../src/contract/index.ts'
import { scriptedEngine } from '../support/scripted-engine.ts'
import { transports, type Reach } from './transports.ts'

describe.each(transports)('the contract over $name', ({ reach }) => {
  let held: Disposables
  let scripted: ReturnType<typeof scriptedEngine>
  let reached: Reach

  beforeEach(async () => {
    held = new Disposables()
    scripted = scriptedEngine()
    held.use(scripted.engine)
    reached = held.use(await reach(scripted.engine))
    scripted.engine.start()
  })
  afterEach(() => held[Symbol.asyncDispose]())

  const open = async (): Promise<Channels> => {
    const channels = await reached.open()
    held.defer(() => {
      channels.live.close()
      channels.calls.close()
    })
    return channels
  }
  const openCalls = async () => createCallClient((await open()).calls)

  it('carries columns of numbers unchanged, NaN and extremes included', async () => {
    const calls = await openCalls()
    const chart = await calls.telemetry.chart({ hostId: 'local', seriesIds: [0], fromMs: 0, toMs: 10 })
    expect(chart.series[0]?.min).toEqual(Float64Array.of(0.1, Number.NaN, -0))
    expect(chart.series[0]?.mean).toEqual(Float64Array.of(0.2, Number.NaN, Number.MAX_VALUE))
  })

  it('answers bad input with BAD_INPUT that names the field and what to do', async () => {
    const calls = await openCalls()
    const call = calls.telemetry.chart({ hostId: 'local', seriesIds: [], fromMs: 0, toMs: 10 })
    await expect(call).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining('seriesIds') as string,
      data: {
        action: expect.stringMatching(/./) as string,
        correlationId: expect.stringMatching(/./) as string,
      },
    })
  })

  it('refuses fields it does not know instead of ignoring them', async () => {
    const calls = await openCalls()
    const input = { hostId: 'local', seriesIds: [0], fromMs: 0, toMs: 10, maxPoint: 5 }
    await expect(calls.telemetry.chart(input)).rejects.toMatchObject({ code: 'BAD_INPUT' })
  })

  it('puts every refused order on record, whatever refused it, and no refused question', async () => {
    const calls = await openCalls()
    const refused = [
      calls.services.restart({ service: 'moon', why: 'it hangs' }),
      calls.deployments.promote({ id: 'd-none' }),
      calls.services.remove({ service: '' }),
      calls.deployments.start({ service: 'moon', releaseId: 'r1', option: {} } as never),
      calls.connections.count({ hostId: 'moon' }),
      calls.audit.unconfirmed({ order: 'hosts.list', target: 'moon' }),
    ]
    expect((await Promise.allSettled(refused)).map(({ status }) => status)).toEqual(
      refused.map(() => 'rejected'),
    )
    await calls.rollback.emergency({ services: ['moon'] })
    await calls.audit.unconfirmed({ order: 'deployments.abort', target: 'shop' })
    await until(() => scripted.audit.length >= 6)
    const { audit } = scripted
    expect(new Set(audit.map(({ actor, action }) => `${actor.name} ${action}`))).toEqual(
      new Set(['test orders.refused']),
    )
    expect(
      audit
        .map(({ target, details }) => `${String(details['order'])} ${target} ${String(details['code'])}`)
        .sort(),
    ).toEqual([
      'deployments.abort shop CONFLICT',
      'deployments.promote d-none NOT_FOUND',
      'deployments.start moon BAD_INPUT',
      'rollback.emergency moon NOT_FOUND',
      'services.remove  BAD_INPUT',
      'services.restart moon NOT_FOUND',
    ])
    const restart = audit.find(({ details }) => details['order'] === 'services.restart')
    expect(restart?.details).toMatchObject({ why: 'it hangs' })
  })

  it('puts orders on record that the role of the caller does not allow', async () => {
    const viewer = held.use(await reach(scripted.engine, 'viewer'))
    const { live, calls: channel } = await viewer.open()
    held.defer(() => {
      live.close()
      channel.close()
    })
    const calls = createCallClient(channel)
    await expect(calls.services.restart({ service: 'shop' })).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(scripted.audit).toMatchObject([
      { target: 'shop', details: { order: 'services.restart', code: 'FORBIDDEN' } },
    ])
  })

  it('answers an unknown host with NOT_FOUND that names it', async () => {
    const calls = await openCalls()
    await expect(calls.connections.count({ hostId: 'moon' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('moon') as string,
    })
  })

  it('answers an unknown procedure with NOT_FOUND', async () => {
    const calls = (await openCalls()) as unknown as { no: { such: () => Promise<unknown> } }
    await expect(calls.no.such()).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('answers any input at all with a value or an error of the catalogue', async () => {
    const calls = (await openCalls()) as unknown as Record<
      string,
      Record<string, (input: unknown) => Promise<unknown>>
    >
    const names = Object.entries(contract).flatMap(([group, procedures]) =>
      Object.keys(procedures).map((name): [string, string] => [group, name]),
    )
    const almostRight = fc.record(
      {
        hostId: fc.oneof(fc.constant('local'), fc.string(), fc.jsonValue()),
        seriesIds: fc.oneof(fc.array(fc.integer()), fc.jsonValue()),
        fromMs: fc.oneof(fc.double(), fc.jsonValue()),
        toMs: fc.oneof(fc.double(), fc.jsonValue()),
        pid: fc.oneof(fc.integer(), fc.jsonValue()),
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.oneof(almostRight, fc.jsonValue()),
        async ([group, name], input) => {
          const failure: unknown = await calls[group]?.[name]?.(input).then(
            () => undefined,
            (thrown: unknown) => thrown,
          )
          if (failure !== undefined) expect(errorCodes).toContain((failure as { code: string }).code)
        },
      ),
      { numRuns: 150 },
    )
  })

  it('tells a defect without its text', async () => {
    const calls = await openCalls()
    const failure: unknown = await calls.processes
      .get({ hostId: 'local', pid: 1 })
      .catch((thrown: unknown) => thrown)
    expect(failure).toMatchObject({ code: 'INTERNAL' })
    expect(JSON.stringify(failure)).not.toContain('secret')
  })

  it('refuses a request over 1 MiB with TOO_LARGE and goes on serving', async () => {
    const calls = await openCalls()
    const hostId = 'x'.repeat(maxMessageBytes)
    await expect(calls.connections.count({ hostId })).rejects.toMatchObject({ code: 'TOO_LARGE' })
    await expect(calls.connections.count({ hostId: 'local' })).resolves.toEqual({ established: 3 })
  })

  it('closes on a peer that sends more than 1 MiB all the same, and serves the next', async () => {
    const { calls } = await open()
    const closed = closing(calls)
    calls.send('x'.repeat(maxMessageBytes + 1))
    await closed
    await expect((await openCalls()).connections.count({ hostId: 'local' })).resolves.toBeDefined()
  })

  it('closes on garbage, on calls and on live state alike, and serves the next', async () => {
    const { calls, live } = await open()
    const closed = Promise.all([closing(calls), closing(live)])
    calls.send('{"not": "a call"')
    live.send(Uint8Array.of(255, 255, 255, 255, 0))
    await closed
    await expect((await openCalls()).connections.count({ hostId: 'local' })).resolves.toBeDefined()
  })

  it('greets with versions and epoch, then a snapshot, then diffs in an unbroken sequence', async () => {
    const consumer = rawConsumer((await open()).live)
    const hello = await consumer.next('hello')
    expect(hello).toMatchObject({
      protocol: liveProtocolVersion,
      version: '1.2.3',
      epoch: scripted.engine.epoch,
    })
    const first = await consumer.next('snapshot')
    expect(first.records.engine).toMatchObject({ version: '1.2.3' })
    consumer.send({ kind: 'ack', seq: first.seq })
    scripted.engine.live.put('notices', [notice('one')])
    const diff = await consumer.next('diff')
    expect(diff.seq).toBeGreaterThan(first.seq)
    expect(consumer.sequence()).toEqual(consumer.sequence().map((_, index) => index))
  })

  it('refuses another protocol version with a sentence', async () => {
    const { live } = await open()
    const frames = framesOf(live)
    live.send(encodeFrame({ kind: 'hello', protocol: 999 }))
    await until(() => frames.some((frame) => frame.kind === 'refused' && /reload/.test(frame.message)))
  })

  it('asks for a new snapshot when a frame went missing', async () => {
    const { live } = await open()
    let dropNextDiff = false
    const lossy: LiveChannel = {
      ...live,
      onMessage: (receive) =>
        live.onMessage((bytes) => {
          if (dropNextDiff && (decodeFrame(bytes) as ServerFrame).kind === 'diff') dropNextDiff = false
          else receive(bytes)
        }),
    }
    const seen = recordsOf(lossy)
    await until(() => seen.records.engine !== undefined)
    dropNextDiff = true
    scripted.engine.live.put('notices', [notice('lost')])
    await until(() => seen.records.notices?.[0]?.id === 'lost')
    expect(dropNextDiff).toBe(false)
  })

  it('gives a slow consumer the newest state, from bounded memory, and never delays its calls', async () => {
    const { live, calls } = await open()
    const consumer = rawConsumer(live)
    await consumer.next('snapshot')
    consumer.send({ kind: 'stream', hosts: [{ hostId: 'local', seriesIds: [0] }] })
    // It reads on but acknowledges nothing: the engine must stop sending after the window.
    for (let round = 0; round < 500; round++) {
      scripted.engine.live.put('notices', [notice(`n${round}`)])
      await Promise.resolve()
    }
    await until(() => consumer.sequence().length >= ackWindow)
    const client = createCallClient(calls)
    await expect(client.connections.count({ hostId: 'local' })).resolves.toBeDefined()
    await expect(client.connections.count({ hostId: 'local' })).resolves.toBeDefined()
    expect(consumer.sequence()).toHaveLength(ackWindow)
    consumer.send({ kind: 'ack', seq: ackWindow - 1 })
    await until(() =>
      consumer.frames.some((frame) => frame.kind === 'diff' && frame.diff.put.notices?.[0]?.id === 'n499'),
    )
    expect(consumer.sequence().length).toBeLessThanOrEqual(2 * ackWindow)
  })

  it('answers a flood of resync requests with no more frames than the window holds', async () => {
    const consumer = rawConsumer((await open()).live)
    await consumer.next('snapshot')
    for (let round = 0; round < 1000; round++) consumer.send({ kind: 'resync' })
    await (await openCalls()).connections.count({ hostId: 'local' })
    expect(consumer.sequence().length).toBeLessThanOrEqual(ackWindow)
  })

  it('streams the chosen series as columns', async () => {
    const consumer = rawConsumer((await open()).live, { acknowledges: true })
    await consumer.next('snapshot')
    scripted.setCpu(0.75)
    consumer.send({ kind: 'stream', hosts: [{ hostId: 'local', seriesIds: [7, 0] }] })
    const { rows } = await consumer.next('samples')
    expect(rows[0]?.seriesIds).toEqual(Float64Array.of(7, 0))
    expect(rows[0]?.values[0]).toBeNaN()
    await until(() =>
      consumer.frames.some((frame) => frame.kind === 'samples' && frame.rows[0]?.values.at(-1) === 0.75),
    )
  })

  it('shows a restarted engine by its new epoch after the connection has healed itself', async () => {
    const epochs: string[] = []
    const states: ConnectionState['kind'][] = []
    let target = reached
    const connection = new Connection({
      open: () => target.open(),
      nowMs: () => performance.now(),
      after: (delayMs, run) => {
        const timer = setTimeout(run, delayMs / 100)
        return () => clearTimeout(timer)
      },
      random: () => 0.5,
      listener: {
        state: ({ kind }) => states.push(kind),
        greeted: ({ epoch }) => epochs.push(epoch),
        changed: () => undefined,
        samples: () => undefined,
        heard: () => undefined,
        refused: () => undefined,
      },
    })
    held.defer(() => connection.close())
    connection.start()
    await until(() => epochs.length === 1)
    const restarted = scriptedEngine(2)
    held.use(restarted.engine)
    target = held.use(await reach(restarted.engine))
    restarted.engine.start()
    await reached[Symbol.asyncDispose]()
    await until(() => epochs.length === 2)
    expect(epochs[1]).toBe(restarted.engine.epoch)
    expect(epochs[1]).not.toBe(epochs[0])
    expect(states).toContain('waiting')
    await expect(connection.calls.connections.count({ hostId: 'local' })).resolves.toBeDefined()
  })

  it('answers an emergency rollback while other calls of the same connection wait', async () => {
    scripted.engine.parts.telemetry.chart = () => new Promise(() => undefined)
    const calls = await openCalls()
    const waiting = Array.from({ length: 200 }, () =>
      calls.telemetry.chart({ hostId: 'local', seriesIds: [0], fromMs: 0, toMs: 10 }).catch(() => undefined),
    )
    await expect(calls.rollback.emergency({})).resolves.toEqual([])
    expect(waiting).toHaveLength(200)
  })

  it('fails open calls with UNAVAILABLE when the connection breaks', async () => {
    const { calls } = await open()
    const client = createCallClient(calls)
    const call = client.connections.count({ hostId: 'local' })
    calls.close()
    await expect(call).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})

describe('the delay before a new attempt', () => {
  it('doubles up to ten seconds and is spread over the upper half', () => {
    expect([1, 2, 3, 9, 50].map((attempt) => reconnectDelayMs(attempt, 0.999999))).toEqual(
      [250, 500, 1000, 10_000, 10_000].map((ms) => expect.closeTo(ms, 0) as number),
    )
    expect(reconnectDelayMs(3, 0)).toBe(500)
  })
})

const notice = (id: string) => ({ id, atMs: 1, severity: 'info' as const, text: id, link: '' })

async function until(holds: () => boolean): Promise<void> {
  await expect.poll(holds, { interval: 5 }).toBe(true)
}

const closing = (channel: { onClose(closed: () => void): void }) =>
  new Promise<void>((resolve) => channel.onClose(resolve))

function framesOf(live: LiveChannel): ServerFrame[] {
  const frames: ServerFrame[] = []
  live.onMessage((bytes) => frames.push(decodeFrame(bytes) as ServerFrame))
  return frames
}

function rawConsumer(live: LiveChannel, { acknowledges = false } = {}) {
  const frames: ServerFrame[] = []
  const send = (frame: ClientFrame) => live.send(encodeFrame(frame))
  live.onMessage((bytes) => {
    const frame = decodeFrame(bytes) as ServerFrame
    frames.push(frame)
    if (acknowledges && 'seq' in frame) send({ kind: 'ack', seq: frame.seq })
  })
  send({ kind: 'hello', protocol: liveProtocolVersion })
  return {
    frames,
    send,
    sequence: () => frames.flatMap((frame) => ('seq' in frame ? [frame.seq] : [])),
    next: async <K extends ServerFrame['kind']>(kind: K): Promise<Extract<ServerFrame, { kind: K }>> => {
      await until(() => frames.some((frame) => frame.kind === kind))
      return frames.find((frame) => frame.kind === kind) as Extract<ServerFrame, { kind: K }>
    },
  }
}

function recordsOf(live: LiveChannel): { records: Partial<LiveRecords> } {
  const seen: { records: Partial<LiveRecords> } = { records: {} }
  new LiveClient(live, {
    greeted: () => undefined,
    changed: (records) => (seen.records = records),
    samples: () => undefined,
    heard: () => undefined,
    refused: () => undefined,
  })
  return seen
}
